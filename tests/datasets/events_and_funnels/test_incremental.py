"""Whatever the order in which events come, and however they are split into runs, the tables are those of one full build."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden import fill_shop
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.compute import compute, prepare, run_checks
from shopmill.run.content import build_manifest
from shopmill.run.run import Run
from shopmill.run.staging import Counts
from shopmill.run.workspace import open_workspace
from shopmill.settings import Settings
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import sha256_of, to_json

FIRST = datetime(2020, 9, 18, 21, tzinfo=UTC)
AS_OFS = [FIRST + timedelta(hours=hours) for hours in (5, 20, 44, 47, 100)]
"""As of the last, the sessions of the first days are mature and those of the others are not."""
ARRIVAL_DEPENDENT = "session_history"
PARAMETERS = {"stitching": "none", "max_session_hours": 2, "max_reject_share": 1, "max_row_drop": 1}
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("event_id", "session_id", "customer_id", "article_id", "event_type")),
        ("event_value", pa.decimal128(18, 6)),
        ("visitor_id", pa.string()),
        ("user_agent", pa.string()),
        ("event_datetime", pa.timestamp("us", "UTC")),
    ]
)


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


def complete(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with all columns: one of a shop without visitor_id and user_agent has none of these two."""
    return row if len(row) == len(SCHEMA) else (*row[:-1], None, None, row[-1])


def land(run: Run, rows: Iterable[tuple[Any, ...]]) -> None:
    """Leaves raw files of the rows for the run, as an extraction would."""
    days: dict[str, list[tuple[Any, ...]]] = {}
    for row in sorted(map(complete, rows), key=lambda row: (row[-1], *map(str, row))):
        days.setdefault(str(row[-1].astimezone(run.settings.zone).date()), []).append(row)
    files = []
    for day, found in sorted(days.items()):
        with run.store.scratch() as scratch:
            path = scratch / "day.parquet"
            pq.write_table(
                pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in found], SCHEMA), path
            )
            digest, size = sha256_of(path), path.stat().st_size
            key = f"raw/events/day={day}/{digest[:16]}.parquet"
            run.store.adopt(path, key)
        files.append(RawFile(day, key, len(found), size, digest))
    snapshot = Snapshot("events", run.as_of.label, run.as_of.label, tuple(files))
    key = f"raw/events/snapshots/{run.as_of.label}.json"
    run.store.write(key, to_json(asdict(snapshot)))
    run.staging.write_inputs("ingest", {"events": Snapshot(**{**vars(snapshot), "key": key})})


def build(settings: Settings, as_of: datetime, rows: Iterable[tuple[Any, ...]], **parameters: Any) -> Manifest:
    """A published version, checked, without registry and database."""
    run = Run.create(
        datasets.load("events_and_funnels"), f"{as_of:%Y-%m-%dT%H:%M:%SZ}", settings, {**PARAMETERS, **parameters}
    )
    land(run, rows)
    prepare(run)
    with open_workspace(run) as workspace:
        for task in run.dataset.tasks:
            for name in task.tables:
                compute(workspace, run.dataset.table(name))
    with open_workspace(run, only_computed=True) as workspace:
        failed = [
            r.sentence()
            for r in run_checks(workspace)
            if not r.passed and r.severity == "error" and r.name != "row count"
        ]
    assert not failed
    run.staging.write_checks([])
    run.staging.write_counts(Counts())
    manifest = build_manifest(run)
    run.versions.publish(manifest, {s.file.path: s.key for t in manifest.tables for s in run.staging.files(t)})
    return manifest


def tables(manifest: Manifest) -> list[tuple[str, str]]:
    """The files in the order that counts for the version, all but those of what depends on arrival."""
    return [(f.path, f.sha256) for f in manifest.all_files if not f.path.startswith(ARRIVAL_DEPENDENT)]


def read(settings: Settings, manifest: Manifest, table: str) -> list[dict[str, Any]]:
    run = Run.create(datasets.load("events_and_funnels"), manifest.as_of, settings)
    files = run.store.fetch(run.versions.keys_of(manifest, table), Path(settings.store))
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]).to_pylist()


def local(folder: str, name: str, **changes: Any) -> Settings:
    return Settings(_env_file=None, store=f"{folder}/{name}", **{"time_zone": "Europe/Stockholm", **changes})


TYPE_ORDER = ["view", "click", "add_to_cart", "remove_from_cart", "checkout", "purchase"]


@dataclass
class Visit:
    """Events of a visitor in order, each as (time, place of its type, id, customer), and who is logged in at their end."""

    events: list[tuple[Any, ...]]
    login: str | None = None

    def goes_on_with(self, at: datetime, customer: str | None) -> bool:
        another = customer is not None and self.login is not None and customer != self.login
        return at - self.events[-1][0] <= timedelta(minutes=30) and not another


def sessions_by_hand(rows: Iterable[tuple[Any, ...]], hours: int = 2, stitching: str = "none") -> list[tuple[Any, ...]]:
    """What `sessions_found` gives: the rules of the documentation, event by event."""
    visitors: dict[str, list[tuple[Any, ...]]] = {}
    seen: dict[str, datetime] = {}
    named = [(row, _visitor_key(row, stitching)) for row in map(complete, rows)]
    for row, key in sorted(named, key=lambda it: (it[0][-1], it[1], it[0][4], it[0][3], json.dumps(it[0][1:7]))):
        event_id, at = row[0], row[-1]
        if event_id not in seen or at - seen[event_id] > timedelta(hours=24):
            visitors.setdefault(key, []).append((at, _place(row[4]), event_id, row[2]))
        seen[event_id] = at
    found = []
    for key, events in visitors.items():
        remembers = stitching == "visitor" and key.startswith("visitor_id:")
        found += _split(key, sorted(events, key=lambda event: event[:3]), hours, remembers)
    return sorted(found, key=str)


def _visitor_key(row: tuple[Any, ...], stitching: str) -> str:
    _, session, customer, *_, visitor, _, _ = row
    if stitching == "none":
        return f"customer:{customer}" if customer else f"visitor:{session}"
    return f"visitor_id:{visitor}" if visitor else f"visitor:{session}" if session else f"customer:{customer}"


def _place(event_type: str) -> int:
    return TYPE_ORDER.index(event_type) if event_type in TYPE_ORDER else len(TYPE_ORDER)


def _split(key: str, events: Sequence[tuple[Any, ...]], hours: int, remembers: bool) -> Iterator[tuple[Any, ...]]:
    visits: list[Visit] = []
    for at, place, event_id, customer in events:
        if not visits or not visits[-1].goes_on_with(at, customer):
            visits.append(Visit([]))
        visits[-1].events.append((at, place, event_id, customer))
        visits[-1].login = customer or visits[-1].login
    known = None
    for visit in visits:
        login = None
        for part, found in _parts(visit, hours):
            login = next((event[3] for event in found if event[3]), login)
            customer = login or (known if remembers else None)
            yield (
                hashlib.md5(f"{len(key)}:{key}{found[0][2]}".encode()).hexdigest(),
                f"customer:{customer}" if customer else key.replace("visitor_id:", "visitor:"),
                "login" if login else "visitor" if customer else None,
                found[0][0],
                found[-1][0],
                len(found),
                part,
            )
        known = login or known


def _parts(visit: Visit, hours: int) -> list[tuple[int, list[tuple[Any, ...]]]]:
    parts: dict[int, list[tuple[Any, ...]]] = {}
    for event in visit.events:
        microseconds = (event[0] - visit.events[0][0]) // timedelta(microseconds=1)
        parts.setdefault(max(0, microseconds - 1) // (hours * 3_600_000_000) + 1, []).append(event)
    return list(parts.items())


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


def view(event_id: str, minutes: float, customer: str = "c1") -> tuple[Any, ...]:
    return (event_id, "s1", customer, "a1", "view", None, FIRST + timedelta(minutes=minutes))


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
    all_or_none = f"select day from (\n{dataset.sql['session_days']}\n) as days where $since = date '0001-01-01'"
    monkeypatch.setitem(vars(dataset), "sql", {**dataset.sql, "session_days": all_or_none})
    settings = local(str(tmp_path), "store", time_zone="UTC")
    build(settings, FIRST + timedelta(minutes=10), [view("e1", 0)])
    with pytest.raises(
        InvalidInputError, match=r"sessions.sql gives rows of sessions/2020-09-18.parquet, which is taken over"
    ):
        build(settings, FIRST + timedelta(minutes=30), [view("e1", 0), view("e2", 20)])


def test_a_date_long_ago_is_a_date(tmp_path: Path) -> None:
    settings = local(str(tmp_path), "store", time_zone="UTC")
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
