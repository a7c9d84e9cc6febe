"""Shapes of real shops: logins at checkout, robots, odd midnights."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_runs import FIRST, Row, build, local, read, tables

ODD_MIDNIGHTS = (
    ("Atlantic/Azores", date(2025, 10, 26)),  # 0:00 to 1:00 is there twice
    ("Atlantic/Azores", date(2025, 3, 30)),  # 0:00 to 1:00 is not there
    ("Asia/Beirut", date(2025, 3, 30)),
    ("Asia/Beirut", date(2025, 10, 26)),  # 23:00 to 24:00 of the day before is there twice
    ("Africa/Cairo", date(2025, 4, 25)),
    ("Africa/Cairo", date(2025, 10, 31)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Pacific/Apia", date(2011, 12, 31)),  # 30 December 2011 is not there
    ("America/Havana", date(2024, 11, 3)),
    ("Asia/Kathmandu", date(2020, 9, 20)),
)


def visit(number: int) -> list[Row]:
    """Views and a cart as nobody, then a login, checkout and purchase; some tell visitor_id, others the session alone."""
    kinds = ("view", "view", "add_to_cart", "checkout", "purchase")
    begun, visitor = FIRST + timedelta(minutes=number), f"v{number}" if number % 2 else None
    return [
        (f"e{number}-{n}", f"s{number}", f"c{number}" if n > 2 else None, "a1", kind, 10, visitor, None,
         begun + timedelta(seconds=40 * n))
        for n, kind in enumerate(kinds)
    ]  # fmt: skip


@pytest.mark.parametrize(("stitching", "purchases"), [("session", 706), ("visitor", 706), ("none", 0)])
def test_purchases_after_a_login_at_checkout_are_in_the_funnel(tmp_path: Path, stitching: str, purchases: int) -> None:
    settings = local(str(tmp_path), "store")
    version = build(settings, FIRST + timedelta(days=1), [e for n in range(706) for e in visit(n)], stitching=stitching)
    daily, sessions = (read(settings, version, table) for table in ("funnel_daily", "sessions"))
    assert sum(row["purchase_session_count"] for row in daily) == purchases
    assert sum(row["purchase_value_sum"] for row in sessions) == 7060
    assert sum(row["is_converted"] for row in sessions) == 706


def robot(events: int, every: float, kind: str = "view", agent: str | None = None) -> list[Row]:
    return [
        (f"r{n}", None, None, "a1", kind, None, "robot", agent, FIRST + timedelta(seconds=every * n))
        for n in range(events)
    ]


def is_bot(tmp_path: Path, rows: list[Row], **parameters: Any) -> set[bool]:
    settings = local(str(tmp_path), "store")
    values = {"stitching": "session", "max_session_hours": 24, **parameters}
    version = build(settings, FIRST + timedelta(days=3), rows, **values)
    daily = read(settings, version, "funnel_daily")
    assert sum(row["event_count"] + row["bot_event_count"] for row in daily) == len(rows)
    return {row["is_bot"] for row in read(settings, version, "sessions")}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (robot(8640, 10), {True}),  # every 10 seconds for a day
        (robot(9000, 10), {True}),  # and what follows in the part after 24 hours
        (robot(301, 0.1), {True}),
        (robot(299, 0.1), {False}),
        (robot(180, 60), {False}),
        (robot(181, 60), {True}),
        (robot(2000, 10, "heartbeat") + robot(20, 60), {False}),  # a page that is open says so; nobody counts it
        (robot(8640, 10, agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), {False}),
    ],
    ids=["day", "longer", "burst", "busy", "long", "too long", "heartbeats", "browser"],
)
def test_without_a_user_agent_a_bot_is_told_by_its_rate(tmp_path: Path, rows: list[Row], expected: set[bool]) -> None:
    unique = [(f"{row[4]}{row[0]}", *row[1:]) for row in rows]
    assert is_bot(tmp_path, unique) == expected


def test_a_bot_that_goes_on_is_a_bot_in_an_incremental_run_as_in_a_full_one(tmp_path: Path) -> None:
    continued, full = local(str(tmp_path), "continued"), local(str(tmp_path), "full")
    rows = robot(1200, 60)
    values = {"stitching": "session", "max_session_hours": 4}
    for n in (100, 200, 400, 1000):
        build(continued, rows[n - 1][-1] + timedelta(seconds=1), rows[:n], **values)
    as_of = rows[-1][-1] + timedelta(seconds=1)
    after = build(continued, as_of, rows, **values)
    assert tables(after) == tables(build(full, as_of, rows, **values))
    assert {row["is_bot"] for row in read(continued, after, "sessions")} == {True}


@pytest.mark.parametrize(("zone", "day"), ODD_MIDNIGHTS)
def test_odd_midnights_lose_no_event_and_continue_as_they_build(tmp_path: Path, zone: str, day: date) -> None:
    continued, full = (local(str(tmp_path), name, time_zone=zone) for name in ("continued", "full"))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    hours = [noon + timedelta(minutes=20 * n, microseconds=n % 3 - 1) for n in range(-3 * 48, 3 * 36)]
    rows: list[Row] = [
        (f"e{n}" if n % 7 else None, f"s{n % 5}", None, "a1", "view", None, at) for n, at in enumerate(hours)
    ]
    as_ofs = [noon + timedelta(hours=hour) for hour in (-14, -12, -10, 2, 11, 13, 36)]
    version = None
    for as_of in as_ofs:
        version = build(continued, as_of, [row for row in rows if row[-1] < as_of])
    assert version
    assert tables(version) == tables(build(full, as_ofs[-1], [row for row in rows if row[-1] < as_ofs[-1]]))
