"""Who asks for JSON gets one document on the output, whatever happens: what the command reports, or the error."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import typer

from shopmill.cli import app as cli

DATASET, AS_OF = "user_item_interactions", "2020-09-23"
Run = Callable[..., tuple[int, str, str]]
PROGRAM = """
import signal
from shopmill.cli.app import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in a background ignores it
main()
"""


def error_of(out: str) -> dict[str, object]:
    """The one document that the output is; it has two members."""
    document: dict[str, object] = json.loads(out)
    assert document.keys() == {"error", "exit_code"}
    return document


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no_such", "--as-of", AS_OF], "no_such"),
        (["run", DATASET, "--as-of", "yesterday"], "yesterday"),
        (["run", DATASET, "--as-of", "2001-01-01"], "transactions fresh"),  # blocked by a check
        (["run", DATASET, "--as-of", "2999-01-01"], "in the future"),
        (["run", DATASET, "--as-of", AS_OF, "-p", "wieght=1"], "view_weight"),
        (["--store", "/proc/no", "run", DATASET, "--as-of", AS_OF], "/proc/no"),
        (["--store", "", "versions"], "names no folder"),
        (["show", DATASET, "--as-of", "2001-01-01"], "2001-01-01"),
        (["show", DATASET, "--table", "interaction"], "Did you mean 'interactions'?"),
        (["export-gx", DATASET, "--output", "/proc/x"], "/proc/x cannot be used"),  # the system's
        (["reconcile", "articles"], "articles"),
        (["runs", "nope"], "nope"),
        (["similar", "0001"], "articles"),
        (["rejects", DATASET, "--as-of", "2001-01-01"], "2001-01-01"),
        (["embed", "--input", "/no/file.parquet", "--output", "/tmp/x"], "/no/file.parquet"),
        (["init", "--dsn", "postgresql://u:hunter2@127.0.0.1:1/x"], "does not answer"),
    ],
)
def test_an_error_is_one_document_and_a_line_as_well(shopmill: Run, arguments: list[str], words: str) -> None:
    code, out, err = shopmill(*arguments, "--json")
    told = error_of(out)
    assert (code, told["exit_code"]) == (1, 1)
    assert words in str(told["error"])
    assert "hunter2" not in out
    assert " ".join(err.split()).endswith(" ".join(f"error {told['error']}".split()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runs", "--limit", "-1", "--json"], "--limit"),
        (["runs", "--limit", "many", "--json"], "integer"),
        (["run", "--json"], "DATASET"),
        (["run", DATASET, "--json"], "--as-of"),
        (["versions", "--jsn", "--json"], "--jsn"),
        (["nothing", "--json"], "nothing"),
        (["--json"], "--json"),
    ],
)
def test_wrong_usage_is_one_document_and_exit_code_two(shopmill: Run, arguments: list[str], words: str) -> None:
    code, out, err = shopmill(*arguments)
    told = error_of(out)
    assert (code, told["exit_code"]) == (2, 2)
    assert words in str(told["error"])
    assert "Usage" in err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SHOPMILL_TIME_ZONE", "Moon", "SHOPMILL_TIME_ZONE"),
        ("SHOPMILL_MAPPING", "no/such/folder", "SHOPMILL_MAPPING"),
        ("SHOPMILL_REGISTRY_DSN", "postgresql://u:hunter2@127.0.0.1:1/x", "registry"),
        ("SHOPMILL_SOURCE_DSN", "postgresql://u:hunter2@127.0.0.1:1/x", "The shop's database does not answer"),
    ],
)
def test_a_setting_that_cannot_be_used(
    shopmill: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, _ = shopmill("run", DATASET, "--as-of", "2020-09-21", "--refresh", "--json")
    assert (code, error_of(out)["exit_code"]) == (1, 1)
    assert words in str(error_of(out)["error"])
    assert "hunter2" not in out


def test_an_error_that_nobody_has_foreseen(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the reason of it")

    monkeypatch.setattr("shopmill.versions.versions.Versions.__init__", broken)
    code, out, _ = shopmill("versions", "--json")
    assert code == 1
    assert "RuntimeError: the reason of it" in str(error_of(out)["error"])


def test_a_report_that_ends_with_one_is_no_error(shopmill: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", "postgresql://u:hunter2@127.0.0.1:1/x")
    code, out, _ = shopmill("doctor", "--json")
    assert (code, json.loads(out)[0]["level"]) == (1, "error")
    assert isinstance(json.loads(shopmill("status", "--check", "--json")[1]), list)


def test_without_json_the_output_is_empty(shopmill: Run) -> None:
    assert shopmill("run", "no_such", "--as-of", AS_OF)[1] == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_it_is_said(home: Path, number: signal.Signals, code: int) -> None:
    """In the middle of a run that waits for a table of the shop."""
    dsn = next(line for line in (home / ".shopmill/env").read_text().splitlines() if "SOURCE_DSN" in line).partition(
        "="
    )[2]
    command = [sys.executable, "-c", PROGRAM, "run", DATASET, "--as-of", "2020-09-22", "--refresh", "--json"]
    with psycopg.connect(dsn) as other:
        other.execute("lock table transactions in access exclusive mode")
        started = subprocess.Popen(
            command, cwd=home, env={**os.environ, "TERM": "dumb"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        waits = "select count(*) from pg_locks where not granted"
        for _ in range(600):
            if other.execute(waits).fetchone() != (0,):
                break
            time.sleep(0.1)
        started.send_signal(number)
        time.sleep(1)
        other.rollback()
        out, _ = started.communicate(timeout=120)
    assert started.returncode == code, out
    assert error_of(out)["exit_code"] == code


def test_every_command_answers_wrong_usage_with_a_document(shopmill: Run) -> None:
    group = typer.main.get_command(cli.app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if any("--json" in parameter.opts for parameter in command.params):
            code, out, _ = shopmill(name, "--no-such-option", "--json")
            assert (name, code, error_of(out)["exit_code"]) == (name, 2, 2)
