"""The command line as a shell sees it: what is printed where, exit codes, one line per error."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from shopmill.cli import app as cli
from shopmill.settings import Settings

DATASET, AS_OF = "user_item_interactions", "2020-09-23"
LENIENT = ["-p", "max_reject_share=1"]
TRAINING_SET = ["training-set", "customer_features", "--label", "churn_30d"]
Run = Callable[..., tuple[int, str, str]]


def test_a_run_and_the_same_again(shopmill: Run, published: dict[str, object]) -> None:
    assert published["status"] in {"published", "unchanged"}
    assert Path(str(published["path"]), "manifest.json").exists()
    code, out, _ = shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT)
    assert code == 0
    assert f"version {published['version']} unchanged" in out
    assert out.splitlines()[-1] == str(published["path"])
    assert "transactions: 1 rows = 1 used" in out.splitlines()
    assert "transactions: 1 rows = 1 used" in published["accounts"]  # type: ignore[operator]


def test_versions(shopmill: Run, published: dict[str, object]) -> None:
    code, out, _ = shopmill("versions", "--json")
    found = json.loads(out)
    assert (code, [row["version"] for row in found], found[0]["current"]) == (0, [published["version"]], True)
    code, out, _ = shopmill("versions", DATASET)
    assert code == 0
    assert str(published["version"]) in out


def test_no_version_yet(shopmill: Run, tmp_path: Path) -> None:
    code, out, _ = shopmill("--store", str(tmp_path / "empty"), "versions")
    assert (code, "shopmill run" in out) == (0, True)
    code, out, _ = shopmill("--store", str(tmp_path / "empty"), "versions", "--json")
    assert (code, json.loads(out)) == (0, [])


def test_show(shopmill: Run, published: dict[str, object]) -> None:
    code, out, _ = shopmill("show", DATASET, "--as-of", AS_OF)
    assert code == 0
    for word in ("time_weighted_score", "counts add up", "•••", "passed"):
        assert word in out
    assert "c[bold]1" not in out
    code, out, _ = shopmill("show", DATASET, "--table", "customer_index", "--json")
    shown = json.loads(out)
    assert (code, shown["sample"]) == (0, [{"customer_id": "•••", "customer_index": "0"}])
    assert shown["version"] == published["version"]


def test_path(shopmill: Run, published: dict[str, object]) -> None:
    code, out, _ = shopmill("path", DATASET)
    assert (code, out) == (0, f"{published['path']}\n")
    code, out, _ = shopmill("path", DATASET, "--table", "rejects")
    assert (code, out) == (0, f"{published['path']}/rejects\n")


def test_runs(shopmill: Run, published: dict[str, object]) -> None:
    code, out, _ = shopmill("runs", DATASET, "--json")
    assert (code, json.loads(out)[0]["version"]) == (0, published["version"])
    assert shopmill("runs")[0] == 0


def test_doctor(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = shopmill("doctor", "--json")
    found = {row["subject"]: row for row in json.loads(out)}
    assert (code, found["connection"]["level"], found["role"]["level"]) == (0, "ok", "warn")
    code, out, _ = shopmill("doctor")
    assert (code, "transactions" in out) == (0, True)
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", "postgresql://u:hunter2@127.0.0.1:1/x")
    code, out, _ = shopmill("doctor")
    assert (code, "hunter2" in out) == (1, False)


def test_doctor_without_the_folder_of_the_mapping(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, and not one for every table."""
    monkeypatch.setenv("SHOPMILL_MAPPING", "no/such/folder")
    code, out, err = shopmill("doctor")
    assert (code, out, len(err.strip().splitlines())) == (1, "", 1)
    assert "SHOPMILL_MAPPING='no/such/folder'" in err
    assert "create the folder" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no_such", "--as-of", AS_OF], ["no_such", DATASET]),
        (["run", "[/bold]", "--as-of", AS_OF], ["[/bold]", DATASET]),
        (["run", DATASET, "--as-of", "yesterday"], ["as_of", "yesterday"]),
        (["run", DATASET, "--as-of", "2020-02-30"], ["as_of", "2020-02-30"]),
        (["run", DATASET, "--as-of", "2001-01-01"], ["not published", "transactions fresh"]),
        (["run", DATASET, "--as-of", "1999-01-01"], ["1999-01-01", "SHOPMILL_FIRST_DAY"]),
        (["run", DATASET, "--as-of", AS_OF, "-p", "wieght=1"], ["wieght", "view_weight"]),
        (["run", DATASET, "--as-of", AS_OF, "-p", "view_weight"], ["view_weight", "name=value"]),
        (["run", DATASET, "--as-of", AS_OF, "-p", "view_weight=heavy"], ["view_weight", "heavy", "decimal"]),
        (["run", DATASET, "--as-of", AS_OF, "-p", "max_reject_share=2"], ["max_reject_share", "[0, 1]"]),
        (["--store", "/proc/no", "run", DATASET, "--as-of", AS_OF], ["/proc/no", "SHOPMILL_STORE"]),
        (["show", DATASET, "--as-of", "2001-01-01"], ["2001-01-01", AS_OF]),
        (["show", DATASET, "--table", "nothing"], ["nothing", "interactions"]),
        (["path", "no_such"], ["no_such"]),
        (["export", DATASET, "--to", "implicit", "--output", "x", "-o", "=1"], ["'=1'", "name=value"]),
        (["export", DATASET, "--to", "implicit", "--output", "x", "-o", ""], ["''", "name=value"]),
        (["export", DATASET, "--to", "mlflow", "--output", "x", "--as-of", ""], ["as_of ''"]),
        ([*TRAINING_SET, "--output", "x.parquet"], ["Give either --as-of"]),
        ([*TRAINING_SET, "--as-of", AS_OF, "--train", AS_OF, "--output", "x.parquet"], ["Give either --as-of"]),
        ([*TRAINING_SET, "--as-of", AS_OF, "--output", "x.json"], ["x.json", "x.parquet"]),
        ([*TRAINING_SET, "--as-of", AS_OF, "--output", "/proc"], ["/proc", "/proc.parquet"]),
        (["versions", "no_such"], ["no_such"]),
        (["--store", "", "versions"], ["names no folder", "SHOPMILL_STORE"]),
        (["run", DATASET, "--as-of", "2020-W39-3"], ["'2020-W39-3' is neither a date", "2020-09-23"]),
        (["run", DATASET, "--as-of", "2020-W39-3T10:15:00Z"], ["is neither a date"]),
        (["run", DATASET, "--as-of", "20200923"], ["is neither a date"]),
        (
            ["run", DATASET, "--as-of", AS_OF, "-p", "fresh_days=1", "-p", "fresh_days=2"],
            ["--param", "fresh_days twice"],
        ),
        (["run", DATASET, "--as-of", AS_OF, "-p", "min_df=1"], ["no parameter 'min_df'"]),
        (["run", DATASET, "--as-of", AS_OF, "--profile", "/proc/x"], ["/proc/x cannot be used: No such file"]),
        (["export-gx", DATASET, "--output", "/proc/x"], ["/proc/x cannot be used: No such file"]),
        (["report", "--output", "/dev/null"], ["/dev/null cannot be used: File exists"]),
        (["reconcile", "order_item"], ["no table 'order_item' of facts", "Did you mean 'order_items'?"]),
        (["reconcile", "articles"], ["no table 'articles' of facts", "transactions"]),
        (["show", DATASET, "--table", "interaction"], ["Did you mean 'interactions'?"]),
        (["lineage", DATASET, "--table", "interaction"], ["Did you mean 'interactions'?"]),
    ],
)
def test_an_error_is_one_line(
    shopmill: Run, published: dict[str, object], arguments: list[str], words: list[str]
) -> None:
    code, out, err = shopmill(*arguments)
    assert code == 1
    assert out == ""
    assert err.startswith("error ")
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    "arguments", [["runs", "--limit"], ["show", DATASET, "--rows"], ["rejects", DATASET, "--limit"]]
)
def test_a_number_without_end_is_wrong_usage(shopmill: Run, arguments: list[str]) -> None:
    code, out, err = shopmill(*arguments, "99999999999999999999")
    assert (code, out) == (2, "")
    assert "less than or equal to" in err


def test_verbose_has_the_traceback() -> None:
    command = [sys.executable, "-m", "shopmill.cli.app", "-v", "versions", "no_such"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TERM": "dumb"})
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "no_such" in ended.stderr


def test_a_setting_that_cannot_be_used(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_TIME_ZONE", "Moon")
    code, _, err = shopmill("versions")
    assert (code, "SHOPMILL_TIME_ZONE" in err, len(err.strip().splitlines())) == (1, True, 1)


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    for command in ("run", "versions", "show", "path", "doctor", "demo", "runs"):
        assert command in result.output


def test_a_changed_column_is_named(shopmill: Run, home: Path, published: dict[str, object]) -> None:
    dsn = Settings(_env_file=home / ".shopmill/env").source_dsn.get_secret_value()
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table transactions alter price type text")
    try:
        code, _, err = shopmill("run", DATASET, "--as-of", "2020-09-24")
    finally:
        with psycopg.connect(dsn) as connection:
            connection.execute("alter table transactions alter price type numeric(18, 6) using price::numeric")
    assert code == 1
    assert "transactions.price" in err
    assert json.loads(shopmill("versions", "--json")[1])[-1]["as_of"] == AS_OF


def test_every_command_that_reports_something_prints_json() -> None:
    group = typer.main.get_command(cli.app)
    without = {
        name
        for name, command in group.commands.items()  # type: ignore[attr-defined]
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == {"demo"}  # which goes on until it is ended


def test_the_pages_that_were_written_as_json(shopmill: Run) -> None:
    code, out, _ = shopmill("docs", "--json")
    assert code == 0
    written = json.loads(out)["written"]
    assert "docs/datasets/timeseries.md" in written
    assert all(Path(name).exists() for name in written)
    code, out, _ = shopmill("docs", "--json")
    assert (code, json.loads(out)) == (0, {"written": []})
