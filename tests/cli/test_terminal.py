"""What people and scripts rely on: whole rows in a pipe, refusals, exit codes, one screen of status, quick starts."""

import io
import json
import os
import pty
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from shopmill.cli import output
from shopmill.cli.output import print_table
from shopmill.cli.progress import ProgressLine
from shopmill.versions.statistics import TableStatistics

DATASET, AS_OF = "user_item_interactions", "2020-09-23"
Run = Callable[..., tuple[int, str, str]]
LONG = "a dataset with a name that no terminal of eighty columns has the room for, and then some more of it"
ROOT = Path(__file__).parents[2]


def test_a_table_in_a_pipe_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"name": LONG, "n": 1234567, "text": "two\nlines [bold]"}], ("name", "n", "text"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1] == f"{LONG}  1,234,567  two lines [bold]"


def test_a_table_on_a_terminal_fits_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=60, record=True, color_system=None)
    monkeypatch.setattr(output, "out", console)
    print_table([{"name": LONG, "id": "3f2a9c1db07e"}], ("name", "id"))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 60
    joined = "".join(line[:46].strip() for line in text.splitlines()[1:]).replace(" ", "")
    assert LONG.replace(" ", "") in joined.replace("3f2a9c1db07e", "")
    assert "3f2a9c1db07e" in text


HOSTILE = "a\x1b[2Jb\u202ec\x9b31m\r\x07"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_steers_a_terminal_is_shown(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    """A table that clears the screen, or an id that is read from right to left, would say what is not so."""
    console = output.ShowingConsole(file=io.StringIO(), force_terminal=is_terminal, width=200, color_system=None)
    monkeypatch.setattr(output, "out", console)
    output.print_table([{"name": HOSTILE, "other": "ñ\u200d🙂\tمرحبا"}], ["name", "other"])
    output.print_lines(HOSTILE)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert shown.count(r"a\x1b[2Jb\u202ec\x9b31m") == 2
    assert "ñ\u200d🙂" in shown
    assert "مرحبا" in shown


@pytest.mark.usefixtures("published")
def test_versions_and_runs_in_a_pipe_have_whole_names(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    [found] = json.loads(shopmill("versions", "--json")[1])
    for command in ("versions", "runs", "status"):
        code, out, _ = shopmill(command)
        assert (code, DATASET in out) == (0, True)
    assert found["version"] in shopmill("versions")[1]


@pytest.mark.parametrize("limit", ["-1", "0", "many"])
def test_a_limit_that_makes_no_sense_is_refused(shopmill: Run, limit: str) -> None:
    code, out, err = shopmill("runs", "--limit", limit)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "--limit" in err


def test_runs_of_a_dataset_that_nobody_knows_are_refused(shopmill: Run) -> None:
    code, out, err = shopmill("runs", "nope")
    assert (code, out) == (1, "")
    assert "nope" in err
    assert DATASET in err


@pytest.mark.usefixtures("published")
def test_no_run_yet(shopmill: Run) -> None:
    assert shopmill("runs", "timeseries")[:2] == (0, "No run of timeseries has begun yet.\n")
    assert json.loads(shopmill("runs", "timeseries", "--json")[1]) == []


def test_the_version_of_the_program(shopmill: Run) -> None:
    code, out, _ = shopmill("--version")
    assert code == 0
    assert out.startswith("shopmill 0.")


@pytest.mark.usefixtures("published")
def test_status_says_what_is_late_and_what_never_was(shopmill: Run) -> None:
    code, out, _ = shopmill("status", "--json")
    states = {row["dataset"]: row for row in json.loads(out)}
    assert (code, states[DATASET]["state"], states[DATASET]["as_of"]) == (0, "late", AS_OF)
    assert states["timeseries"]["state"] == "empty"
    assert states[DATASET]["last_run"].startswith(("published", "unchanged"))
    assert shopmill("status", "--check")[0] == 1
    assert len(shopmill("status")[1].splitlines()) < 24


@pytest.mark.usefixtures("published")
def test_a_failing_dataset_says_why(shopmill: Run) -> None:
    assert shopmill("run", DATASET, "--as-of", "2001-01-01")[0] == 1
    code, out, _ = shopmill("status")
    assert code == 0
    assert "failing" in out
    assert "transactions fresh" in out


def test_status_without_a_registry_that_answers(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", "postgresql://nobody@127.0.0.1:1/x")
    code, out, _ = shopmill("status")
    assert (code, "does not answer" in out, DATASET in out) == (0, True, True)


@pytest.mark.usefixtures("published")
def test_show_says_what_the_columns_look_like(shopmill: Run) -> None:
    code, out, _ = shopmill("show", DATASET)
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("purchase_count "))
    assert "█" in line
    shown = json.loads(shopmill("show", DATASET, "--json")[1])
    assert shown["statistics"]["purchase_count"]["nulls"] == 0
    assert shown["statistics"]["customer_id"]["personal"] is True
    assert "are of" not in out  # a small table is looked at whole
    assert shown["sampled"] == shown["rows"]


@pytest.mark.usefixtures("published")
def test_show_says_that_it_looked_at_some_rows(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = {"interactions": TableStatistics(17_442_427, 100_000, ())}
    monkeypatch.setattr("shopmill.versions.statistics.statistics_of", lambda *_: looked)
    assert "Nulls, distinct and values are of 100,000 rows, spread over all." in shopmill("show", DATASET)[1]


@pytest.mark.usefixtures("published")
def test_show_and_report_write_html(shopmill: Run, tmp_path: Path) -> None:
    code, out, _ = shopmill("show", DATASET, "--html", str(tmp_path / "sub/version.html"))
    assert (code, out) == (0, f"{tmp_path}/sub/version.html\n")
    assert "<style>" in (tmp_path / "sub/version.html").read_text()
    code, out, _ = shopmill("report", DATASET, "--output", str(tmp_path / "report"), "--json")
    assert (code, json.loads(out)["index"]) == (0, f"{tmp_path}/report/index.html")
    page = (tmp_path / f"report/datasets/{DATASET}/index.html").read_text()
    assert "published" in (tmp_path / "report/runs.html").read_text()
    assert AS_OF in page
    assert shopmill("report", "nope", "--output", str(tmp_path))[0] == 1


@pytest.mark.usefixtures("published")
def test_a_run_is_quiet_without_a_terminal(shopmill: Run) -> None:
    code, _, err = shopmill("run", DATASET, "--as-of", AS_OF, "-p", "max_reject_share=1")
    assert (code, err) == (0, "")


def test_a_long_step_says_how_far_it_is_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    clock = iter(range(1000))
    monkeypatch.setattr("shopmill.cli.progress.monotonic", lambda: float(next(clock)))
    console = Console(file=io.StringIO(), record=True, width=200)
    line = ProgressLine(console, "timeseries as of 2020-09-23")
    for _ in range(50):
        line.count("transactions", 1000)
        line.say()
    text = console.export_text()
    assert "timeseries as of 2020-09-23: extract transactions" in text
    assert "a second" in text
    assert 1 < len(text.splitlines()) < 20


def test_how_much_is_read_of_how_much_and_how_long_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("shopmill.cli.progress.monotonic", lambda: now)
    console = Console(file=io.StringIO(), record=True, width=200)
    line = ProgressLine(console, "verify timeseries")
    now = 40.0
    line.subject("verify timeseries")
    now = 60.0
    line.read(1_000_000_000, 3_000_000_000)
    line.say()
    assert console.export_text() == "verify timeseries: 1.0 GB of 3.0 GB, 50.0 MB a second, 0:40 left (1:00)\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("verify", "--all", "--raw"), f"verify {DATASET}: "),
        (("repair",), f"repair {DATASET}"),
        (("doctor",), "doctor looks at the shop: "),
        (("reconcile",), "reconcile: transactions"),
        (("report", "--output", "pages"), " pages ("),
    ],
)
@pytest.mark.usefixtures("published")
def test_a_command_that_takes_long_says_what_it_is_at(
    shopmill: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str
) -> None:
    """A person sees it when it lasts: here each change is said at once."""
    for name in ("step", "read", "subject"):
        told = getattr(ProgressLine, name)

        def telling(line: ProgressLine, *what: Any, told: Callable[..., None] = told) -> None:
            told(line, *what)
            line.say()

        monkeypatch.setattr(ProgressLine, name, telling)
    monkeypatch.setattr("shopmill.cli.progress.MOST_QUIET_SECONDS", 0.0)
    _, _, err = shopmill(*command)
    assert said in err
    if command[0] == "verify":
        assert re.search(r"kB of .+ a second", err)


def test_a_reader_who_leaves_early_is_no_error(published: object, home: Path) -> None:
    command = f"{sys.executable} -m shopmill.cli.app show {DATASET} | head -1"
    ended = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith(DATASET)
    assert "Traceback" not in ended.stderr


def test_on_a_terminal_nothing_is_wider_than_it(published: dict[str, object], home: Path) -> None:
    main, other = pty.openpty()
    environment = {**os.environ, "COLUMNS": "72", "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "shopmill.cli.app", "versions"]
    ended = subprocess.run(command, cwd=home, stdout=other, stderr=subprocess.PIPE, env=environment, check=True)
    os.close(other)
    text = os.read(main, 100_000).decode()
    assert ended.stderr == b""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 72
    assert str(published["version"]) in plain
    assert "Left out for want of room: bytes" in plain


def processor_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, cwd="/")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_importing_and_helping_are_quick() -> None:
    """Of the processor: 150 and 300 ms on a quiet machine, and this one may be busy, so the best of three may be more."""
    bare = min(processor_seconds(sys.executable, "-c", "pass") for _ in range(3))
    imported = min(processor_seconds(sys.executable, "-c", "import shopmill") for _ in range(3))
    helped = min(processor_seconds(sys.executable, "-m", "shopmill.cli.app", "--help") for _ in range(3))
    assert imported - bare < 0.15
    assert helped < 0.6


@pytest.mark.parametrize(
    "module", ["pydantic_settings", "duckdb", "pyarrow", "sqlglot", "psycopg", "adbc_driver_postgresql", "airflow"]
)
def test_help_imports_nothing_heavy(module: str) -> None:
    program = f"import sys, shopmill.cli.app; sys.exit({module!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_completion_knows_the_datasets() -> None:
    from shopmill.cli.options import complete_dataset

    assert complete_dataset("user") == [DATASET]
    environment = {
        **os.environ,
        "_SHOPMILL_COMPLETE": "complete_bash",
        "COMP_WORDS": "shopmill show tim",
        "COMP_CWORD": "2",
    }
    program = "from shopmill.cli.app import main; import sys; sys.argv = ['shopmill']; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert "timeseries" in ended.stdout
