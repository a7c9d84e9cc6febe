import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report import BEGIN, END, Line, Report, StageReport, markdown, put_between_markers, worse

STAGE = StageReport(
    "reading",
    "a column",
    (
        Line("shopmill", 2.0, 3.0, 512.0),
        Line("rival", 4.0, 4.0, 1024.0, same="5 rows of it are the same"),
        Line("least", 1.0, 1.0, 10.0, bound=True),
    ),
    ("other, which is not in .venv-bench",),
)
REPORT = Report(0.1, "make bench", "2026-11-27", "2 cores", {"duckdb": "2.0"}, (STAGE,))


def slower(seconds: float) -> Report:
    ours = replace(STAGE.lines[0], wall_s=seconds)
    return replace(REPORT, stages=(replace(STAGE, lines=(ours, *STAGE.lines[1:])),))


def test_the_ratio_is_below_one_where_shopmill_is_ahead() -> None:
    assert STAGE.ratios == {"rival": 0.5, "least": 2.0}


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    REPORT.write(tmp_path / "results" / "scale-0.1.json")
    assert Report.read(tmp_path / "results" / "scale-0.1.json") == REPORT
    document = json.loads((tmp_path / "results" / "scale-0.1.json").read_text())
    assert document["stages"][0]["lines"][1]["ratio"] == 0.5


def test_the_table_names_the_command_and_the_machine_and_what_was_compared() -> None:
    table = markdown(REPORT)
    assert "`make bench` on 2026-11-27: 2 cores; duckdb 2.0." in table
    assert "| reading: a column | **shopmill** | 2.00 | 3.00 | 0.50 |  |" in table
    assert "|  | rival | 4.00 | 4.00 | 1.00 | 0.50 |" in table
    assert "|  | least (bound) | 1.00 | 1.00 | 0.01 | 2.00 |" in table
    assert "- reading, rival: 5 rows of it are the same." in table
    assert "- reading: without other, which is not in .venv-bench." in table


def test_a_ratio_may_be_a_fifth_worse_and_no_more() -> None:
    assert worse(slower(2.4), REPORT) == []
    assert worse(slower(2.42), REPORT) == [
        "reading: 0.60 times rival, 0.50 in the committed results.",
        "reading: 2.42 times least, 2.00 in the committed results.",
    ]


def test_a_stage_or_rival_that_was_not_committed_is_not_compared() -> None:
    assert worse(slower(9), replace(REPORT, stages=())) == []
    without_rival = replace(STAGE, lines=STAGE.lines[:1])
    assert worse(slower(9), replace(REPORT, stages=(without_rival,))) == []


def test_the_table_goes_between_its_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_between_markers(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="lacks the lines"):
        put_between_markers(page, "new\n")


def test_a_stage_that_failed_is_said(tmp_path: Path) -> None:
    failed = replace(REPORT, failed=("sessions: Polars has another result.\nmore",))
    assert "- FAILED: sessions: Polars has another result.\n" in markdown(failed)
    failed.write(tmp_path / "failed.json")
    assert Report.read(tmp_path / "failed.json") == failed
