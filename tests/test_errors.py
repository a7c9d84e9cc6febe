"""What an error that nobody has foreseen may say, and that it reaches nobody as a traceback."""

import pytest

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import InvalidInputError, UnexpectedError, cause_in_a_line, said_in_a_sentence
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

QUOTED = "Could not convert string 'ada@example.com' to INT64.\nLINE 1: select ..."


def test_the_cause_is_one_line_and_shows_no_address_that_an_engine_quotes() -> None:
    assert cause_in_a_line(ValueError(QUOTED)) == "ValueError: Could not convert string ••• to INT64"
    assert cause_in_a_line(KeyError()) == "KeyError"


def test_of_a_value_that_an_engine_quotes_the_shape_is_shown() -> None:
    said = cause_in_a_line(ValueError("Conversion Error: Could not convert string 'Anna-7' to INT32"))
    assert said == "ValueError: Conversion Error: Could not convert string like 'Aaaa-9' to INT32"


def test_an_error_that_is_not_ours_becomes_a_sentence_and_ours_stays() -> None:
    said = r"^timeseries, table sales, failed: OverflowError: too large\. The log"
    with pytest.raises(UnexpectedError, match=said), said_in_a_sentence("timeseries, table sales,"):
        raise OverflowError("too large\nin line 3")
    with pytest.raises(InvalidInputError, match=r"^as it is$"), said_in_a_sentence("here"):
        raise InvalidInputError("as it is")


def test_the_row_of_the_run_has_the_sentence(settings: Settings) -> None:
    run = Run.create(datasets.load("timeseries"), "2020-09-23", settings)
    with pytest.raises(UnexpectedError), steps.recorded(run, "transform", begins=True):
        raise ValueError(QUOTED)
    [row] = run.registry.runs("timeseries", 1)
    assert row["status"] == "failed"
    assert "step transform, failed: ValueError: Could not convert string ••• to INT64." in row["error"]


@pytest.mark.parametrize("error", [OverflowError("too large"), MemoryError(), KeyError("a"), RecursionError("deep")])
def test_the_command_says_it_in_a_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    monkeypatch.setattr("sys.argv", ["shopmill", "versions"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert (ended.value.code, "Traceback" in said) == (1, False)
    [line] = said.strip().splitlines()
    assert line.startswith(f"error shopmill versions failed: {type(error).__name__}")
    assert "--verbose" in line
