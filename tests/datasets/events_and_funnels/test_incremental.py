"""Whatever the order in which events come, and however they are split into runs, the tables are those of one full build."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from by_hand import sessions_by_hand
from event_runs import FIRST, SCHEMA, build, complete, local, read, tables, view
from golden import fill_shop
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest

AS_OFS = [FIRST + timedelta(hours=hours) for hours in (5, 20, 44, 47, 100)]
"""As of the last, the sessions of the first days are mature and those of the others are not."""


@dataclass(frozen=True)
class Event:
    """An event, the run that sees it first, and the run that sees it no more."""

    row: tuple[Any, ...]
    comes: int
    goes: int

    @property
    def at(self) -> datetime:
        return self.row[-1]


@st.composite
def events(draw: st.DrawFn) -> Event:
    customer = draw(st.sampled_from(["c1", "c2", None, None]))
    visitor = draw(st.sampled_from(["v1", "v1", "v2", None]))
    steps = st.sampled_from(["view", "click", "add_to_cart", "checkout", "purchase", "wishlist"])
    minutes = draw(st.integers(0, 12)) * 10 + 60 * draw(st.sampled_from([0, 2, 4, 18, 21, 24, 40, 72]))
    at = FIRST + timedelta(minutes=minutes, microseconds=draw(st.sampled_from([0, 0, 1])))
    article, step = draw(st.sampled_from(["a1", "a2"])), draw(steps)
    row = (f"e{draw(st.integers(0, 40))}", "s1", customer, article, step, 1, visitor, None, at)
    seen = next(number for number, as_of in enumerate(AS_OFS) if as_of > at)
    last = len(AS_OFS) - 1
    comes = draw(st.integers(seen, last))
    return Event(row, comes, draw(st.sampled_from([last + 1] * 6 + [min(comes + 1, last)])))


def sessions_found(settings: Settings, manifest: Manifest) -> list[tuple[Any, ...]]:
    names = ("session_id", "user_id", "identified_by", "started_at", "ended_at", "event_count", "part_number")
    return sorted((tuple(row[name] for name in names) for row in read(settings, manifest, "sessions")), key=str)


@pytest.mark.parametrize("stitching", ["session", "visitor", "none"])
@limits(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events(), min_size=5, max_size=40), st.sets(st.integers(0, len(AS_OFS) - 2), min_size=1, max_size=3))
def test_any_arrival_and_any_split_into_runs_equals_a_full_build(
    stitching: str, found: list[Event], chosen: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        continued, full = local(folder, "continued"), local(folder, "full")
        for number in sorted(chosen):
            build(continued, AS_OFS[number], [e.row for e in found if e.comes <= number < e.goes], stitching=stitching)
        last = len(AS_OFS) - 1
        rows = [event.row for event in found if event.comes <= last < event.goes]
        after, anew = (build(one, AS_OFS[last], rows, stitching=stitching) for one in (continued, full))
        assert tables(after) == tables(anew)
        assert sessions_found(full, anew) == sessions_by_hand(rows, stitching=stitching)


def shared_days(settings: Settings, before: Manifest, after: Manifest, table: str) -> list[str]:
    """The days whose file of a table is the same in both versions, not a copy."""
    run = Run.create(datasets.load("events_and_funnels"), after.as_of, settings)
    one, other = (Path(settings.store) / run.versions.folder(version) / table for version in (before, after))
    return sorted(path.stem for path in one.iterdir() if (other / path.name).samefile(path))


def test_days_where_nothing_can_change_are_taken_over(tmp_path: Path) -> None:
    settings = local(str(tmp_path), "store", time_zone="UTC")
    old = [view(f"e{day}", day * 1440) for day in range(20)]
    new, newer = view("new", 20 * 1440 + 1), view("newer", 20 * 1440 + 40)
    before = FIRST + timedelta(days=20)
    first = build(settings, before, old)
    second = build(settings, before + timedelta(minutes=15), [*old, new])
    third = build(settings, before + timedelta(minutes=45), [*old, new, newer])
    days = [f"{FIRST + timedelta(days=day):%Y-%m-%d}" for day in range(20)]
    assert shared_days(settings, first, second, "sessions") == days
    assert shared_days(settings, first, second, "session_funnel") == days
    assert shared_days(settings, second, third, "sessions") == days
    # Three days and 45 minutes after its only event, the session of 5 October has become mature: its funnel says so.
    assert shared_days(settings, second, third, "session_funnel") == [*days[:17], *days[18:]]
    assert len(sessions_found(settings, third)) == 22
    full = build(local(str(tmp_path), "full", time_zone="UTC"), before + timedelta(minutes=45), [*old, new, newer])
    assert third.version == full.version


def test_a_session_that_comes_back_on_another_day_is_once_in_the_history(tmp_path: Path) -> None:
    settings = local(str(tmp_path), "store", time_zone="UTC")
    as_of, other = FIRST + timedelta(days=1, hours=1), view("other", 10, "c2")
    build(settings, as_of, [view("e1", 0), other])
    build(settings, as_of + timedelta(minutes=15), [other])
    third = build(settings, as_of + timedelta(minutes=30), [view("e1", 1440), other])
    [row] = read(settings, third, "session_history")
    assert (row["session_day"], row["n_late_events"]) == ((FIRST + timedelta(days=1)).date(), 1)


def test_an_event_id_that_comes_again_later_gives_sessions_of_one_id_on_two_days(tmp_path: Path) -> None:
    continued, full = (local(str(tmp_path), name, time_zone="UTC") for name in ("continued", "full"))
    rows = [view("e1", 0), view("e2", 1440, "c2"), view("e1", 2 * 1440)]
    build(continued, FIRST + timedelta(days=1), rows[:1])
    version = build(continued, FIRST + timedelta(days=3), rows)
    assert tables(version) == tables(build(full, FIRST + timedelta(days=3), rows))
    found = [row for row in read(continued, version, "sessions") if row["user_id"] == "customer:c1"]
    assert len({row["session_id"] for row in found}) == 1
    assert [row["session_day"].day for row in found] == [18, 20]


def test_rows_of_a_period_that_is_taken_over_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = datasets.load("events_and_funnels")
    all_or_none = f"select day from (\n{dataset.sql['session_days']}\n) as days where $is_full"
    monkeypatch.setitem(vars(dataset), "sql", {**dataset.sql, "session_days": all_or_none})
    settings = local(str(tmp_path), "store", time_zone="UTC")
    build(settings, FIRST + timedelta(minutes=10), [view("e1", 0)])
    with pytest.raises(
        InvalidInputError, match=r"sessions.sql gives rows of sessions/2020-09-18.parquet, which is taken over"
    ):
        build(settings, FIRST + timedelta(minutes=30), [view("e1", 0), view("e2", 20)])


def test_a_date_long_ago_is_a_date(tmp_path: Path) -> None:
    settings = local(str(tmp_path), "store", time_zone="UTC", first_day=date(1850, 1, 1))
    long_ago = ("e0", "s1", "c1", "a1", "view", None, datetime(1900, 1, 1, tzinfo=UTC))
    version = build(settings, FIRST + timedelta(days=1), [long_ago, view("e1", 0)])
    assert [row["started_at"].year for row in read(settings, version, "sessions")] == [1900, 2020]


def test_a_rebuild_on_top_of_a_version_keeps_its_history_and_tells_what_is_gone(tmp_path: Path) -> None:
    settings = local(str(tmp_path), "store", time_zone="UTC")
    gone, early, between, late = (
        view("gone", -1440, "c2"),
        view("early", 0),
        view("between", 25),
        view("late", 50),
    )
    as_of = FIRST + timedelta(hours=3)
    build(settings, as_of, [gone, early, late])
    second = build(settings, as_of + timedelta(minutes=15), [gone, early, between, late])
    third = build(settings, as_of + timedelta(minutes=30), [early, between, late], funnel_mode="any")
    before, after = (read(settings, version, "session_history") for version in (second, third))
    assert [row for row in after if row["user_id"] == "customer:c1"] == before
    assert len(before) == 2
    [lost] = [row for row in after if row["user_id"] == "customer:c2"]
    assert (lost["started_at"], lost["superseded_by"]) == (gone[-1], None)


def test_what_comes_late_beyond_all_limits_is_in_sessions_or_rejected(tmp_path: Path) -> None:
    continued, full = local(str(tmp_path), "continued"), local(str(tmp_path), "full")
    old = [view(f"e{day}", day * 1440) for day in range(20)]
    no_user = ("late", "", None, "a1", "view", None, FIRST + timedelta(days=9, minutes=5))
    before, after = FIRST + timedelta(days=20), FIRST + timedelta(days=20, minutes=15)
    for late in (no_user, view("late", 9 * 1440 + 5)):
        build(continued, before, old)
        assert tables(build(continued, after, [*old, late])) == tables(build(full, after, [*old, late]))


def test_a_part_of_a_visit_continues_one_that_began_two_days_before(tmp_path: Path) -> None:
    continued, full = (local(str(tmp_path), name, time_zone="UTC") for name in ("continued", "full"))
    # The first part lasts from 23:45 for exactly 24 hours; the second begins after midnight, two days later.
    begun = datetime(2020, 9, 18, 23, 45, tzinfo=UTC)
    visit = [("s1", "c1", "a1", "view", None, begun + timedelta(minutes=28.8 * n)) for n in range(53)]
    rows = [(f"e{n:02}", *row) for n, row in enumerate(visit)]
    before, after = rows[-2][-1] + timedelta(minutes=1), rows[-1][-1] + timedelta(minutes=1)
    assert [row[-1].day for row in rows[-3:]] == [19, 20, 20]
    build(continued, before, rows[:-1], max_session_hours=24)
    again = build(continued, after, rows, max_session_hours=24)
    assert tables(again) == tables(build(full, after, rows, max_session_hours=24))
    assert sessions_found(continued, again) == sessions_by_hand(rows, hours=24)


def test_sessions_fall_out_of_every_window_as_in_a_full_build(tmp_path: Path) -> None:
    continued, full = local(str(tmp_path), "continued"), local(str(tmp_path), "full")
    before, after = FIRST + timedelta(days=31), FIRST + timedelta(days=31, hours=7)
    rows = [view(f"e{n}", 170 * n, f"c{n % 37}") for n in range(31 * 24 * 60 // 170)]
    rows += [view("last", 1440 + 200, "gone"), view("again", 1440 + 200, "back"), view("new", 31 * 1440 + 5, "back")]
    published = []
    for settings, as_of in ((continued, before), (continued, after), (full, after)):
        published.append(build(settings, as_of, [row for row in rows if row[-1] < as_of]))
    customers = [{row["customer_id"] for row in read(continued, m, "customer_behaviour")} for m in published[:2]]
    assert customers[0] - customers[1] == {"gone"}
    assert tables(published[1]) == tables(published[2])


def test_one_thread_or_two_and_any_order_of_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [view(f"e{n}", 7 * n % 3000, f"c{n % 5}") for n in range(300)]
    as_of = FIRST + timedelta(days=3)
    one = build(local(str(tmp_path), "one", threads=1), as_of, rows)
    two = build(local(str(tmp_path), "two", threads=2), as_of, reversed(rows))
    assert one.version == two.version


def test_garbage_dated_at_or_after_as_of_changes_no_byte(settings: Settings, tmp_path: Path) -> None:
    rows = [dict(zip(SCHEMA.names, complete(view(f"e{n}", 7 * n, f"c{n % 5}")), strict=True)) for n in range(100)]
    as_of = FIRST + timedelta(hours=11)
    garbage = [
        {"event_id": row["event_id"], "event_type": "x", "event_value": -9, "event_datetime": as_of} for row in rows
    ]
    versions = []
    for name, given_rows in (("clean", rows), ("poisoned", [*garbage, *rows])):
        fill_shop(settings.source_dsn.get_secret_value(), {"events": given_rows})
        own = settings.model_copy(update={"store": str(tmp_path / name)})
        run = Run.create(
            datasets.load("events_and_funnels"), f"{as_of:%Y-%m-%dT%H:%M:%SZ}", own, {"max_reject_share": 1}
        )
        versions.append(steps.run_all(run).version)
    assert versions[0] == versions[1]


@pytest.mark.parametrize("mode", ["ordered", "strict", "any"])
def test_each_mode_continues_as_it_builds(mode: str, tmp_path: Path) -> None:
    kinds = ["view", "add_to_cart", "view", "checkout", "purchase", "add_to_cart", "checkout"]
    rows: list[Mapping[str, Any] | tuple[Any, ...]] = [
        (f"e{n}", "s1", f"c{n % 3}", "a1", kinds[n * 5 % 7], 1, FIRST + timedelta(minutes=n * 11)) for n in range(60)
    ]
    continued, full = local(str(tmp_path), "continued"), local(str(tmp_path), "full")
    build(continued, FIRST + timedelta(hours=6), [r for n, r in enumerate(rows) if n < 30 and n % 7], funnel_mode=mode)
    later = FIRST + timedelta(hours=12)
    assert tables(build(continued, later, rows, funnel_mode=mode)) == tables(build(full, later, rows, funnel_mode=mode))


RAISED = {"session_gap_minutes": 1440, "max_session_hours": 240, "duplicate_hours": 240}
"""Limits far above those that the parameters have."""


def raise_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    found = datasets.load("events_and_funnels")
    raised = tuple(replace(p, maximum=RAISED.get(p.name, p.maximum)) for p in found.parameters)
    dataset = replace(found, parameters=raised)
    monkeypatch.setattr(datasets, "load", lambda _: dataset)


def whole_visit_again(folder: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """An incremental run and a full rebuild of a visit of eight days, whose last event sends the id of the first again."""
    continued, full = (local(str(folder), name, time_zone="UTC") for name in ("continued", "full"))
    parameters = {"session_gap_minutes": 720, "max_session_hours": 200, "duplicate_hours": 200, "late_days": 3}
    visit = [view(f"e{n:02}", n * 600) for n in range(20)]
    rows, after = [*visit, view("e00", 20 * 600)], FIRST + timedelta(hours=201)
    build(continued, FIRST + timedelta(hours=195), visit, **parameters)
    version, anew = (build(settings, after, rows, **parameters) for settings in (continued, full))
    [session] = read(continued, version, "sessions")
    assert (session["event_count"], session["started_at"]) == (20, FIRST)
    return tables(version), tables(anew)


def test_where_a_limit_is_raised_sessions_stay_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_limits(monkeypatch)
    incremental, full = whole_visit_again(tmp_path)
    assert incremental == full


def test_margins_for_the_limits_as_they_were_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_limits(monkeypatch)
    dataset = datasets.load("events_and_funnels")
    fixed = {"session_reach_hours": 29, "event_reach_hours": 53, "reach_days": 2}
    assert dataset.incremental
    narrow = replace(dataset.incremental, margins=lambda _: fixed, reach_days=lambda _: 2, warm_up_days=lambda _: 1)
    monkeypatch.setattr(datasets, "load", lambda _: replace(dataset, incremental=narrow))
    with pytest.raises(AssertionError):  # the checks refuse it, or the tables differ
        whole_visit_again(tmp_path)
