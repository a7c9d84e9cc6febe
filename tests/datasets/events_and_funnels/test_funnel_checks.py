"""What a run warns of, and what it blocks."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from event_runs import FIRST, judge, local

Rows = list[tuple[Any, ...]]


def event(number: int, visitor: str | None, customer: str | None, kind: str = "view") -> tuple[Any, ...]:
    at = FIRST + timedelta(seconds=number)
    return (f"e{number}", f"s{number}", customer, "a1", kind, None, visitor, None, at)


def told(tmp_path: Path, rows: Rows, name: str, **parameters: Any) -> str:
    settings = local(str(tmp_path), "store")
    _, results = judge(settings, FIRST + timedelta(days=1), rows, stitching="session", **parameters)
    return next(result.detail for result in results if result.name == name)


@pytest.mark.parametrize("name", ["NA", "undefined"])
def test_a_visitor_that_stands_for_many_people_is_said_with_its_share(tmp_path: Path, name: str) -> None:
    rows = [event(n, name if n % 4 else f"v{n}", f"c{n}" if n % 5 == 0 else None) for n in range(40)]
    assert told(tmp_path, rows, "visitors told apart") == (
        f"visitor_id:{name} has 30 of 40 new events (75 %), of 6 customers: "
        "if it stands for many people, select null in its place"
    )


def test_a_busy_visitor_is_not_said(tmp_path: Path) -> None:
    rows = [event(n, "v1" if n % 4 else f"v{n}", None) for n in range(40)]
    assert told(tmp_path, rows, "visitors told apart") == ""
