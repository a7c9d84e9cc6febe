"""`shopmill run --profile`: what each statement cost, in a file and on the screen."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
DATASET, AS_OF = "user_item_interactions", "2020-09-23"
LENIENT = ["-p", "max_reject_share=1"]


def test_a_run_writes_what_its_statements_cost(shopmill: Run, tmp_path: Path) -> None:
    path, store = tmp_path / "profile.json", ["--store", str(tmp_path / "store")]
    code, out, err = shopmill(*store, "run", DATASET, "--as-of", AS_OF, *LENIENT, "--profile", str(path))
    assert code == 0, err
    document = json.loads(path.read_text())
    statements = document["statements"]
    assert {one["step"] for one in statements} == {"transform", "check"}
    assert {"interactions", "log", "rejects", "rules of interactions", "numbers kept", "account of transactions"} <= {
        one["part"] for one in statements
    }
    copied = [one for one in statements if one["part"] == "interactions" and one["sql"].startswith("copy")]
    assert [(one["rows_read"] > 0, one["rows"]) for one in copied] == [(True, 1)]
    assert all(one["seconds"] > 0 and one["spilled_bytes"] == 0 for one in copied)
    assert document["seconds"] == pytest.approx(sum(one["seconds"] for one in statements), abs=1e-3)
    assert "interactions" in out
    assert f"all are in {path}" in out


def test_json_is_of_the_run_alone_and_an_unchanged_run_has_no_statement(shopmill: Run, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT)
    code, out, _ = shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT, "--json", "--profile", str(path))
    assert (code, json.loads(out)["status"]) == (0, "unchanged")
    assert json.loads(path.read_text()) == {"seconds": 0, "statements": []}


def test_a_run_that_fails_leaves_its_profile(shopmill: Run, tmp_path: Path) -> None:
    path, store = tmp_path / "profile.json", ["--store", str(tmp_path / "store")]
    arguments = ["-p", "max_reject_share=1", "-p", "stale_days=0", "-p", "fresh_days=0", "--profile", str(path)]
    code, _, err = shopmill(*store, "run", DATASET, "--as-of", "2020-10-23", *arguments)
    assert (code != 0, "not published" in err) == (True, True)
    assert json.loads(path.read_text())["statements"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--profile", "no/such/folder/profile.json"], "--profile no/such/folder/profile.json cannot be written"),
        (["--profile", "."], "--profile . cannot be written: name a file in a folder that exists."),
    ],
)
def test_a_profile_that_cannot_be_written_is_said_before_the_work(shopmill: Run, more: list[str], said: str) -> None:
    code, _, err = shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT, *more)
    assert code != 0
    assert said in " ".join(err.split())


def test_spark_has_its_own(shopmill: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPMILL_ENGINE", "spark")
    code, _, err = shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT, "--profile", str(tmp_path / "p.json"))
    assert code != 0
    assert "--profile needs SHOPMILL_ENGINE=duckdb, not spark" in " ".join(err.split())
