"""From which day on a run differs from the previous version: what lets it compute new days only."""

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from shopmill.asof import AsOf
from shopmill.declaration import Announcement, Incremental, QueryCheck
from shopmill.engine.compose import base_tables
from shopmill.errors import DamagedError
from shopmill.run.content import PREVIOUS, changes_of_making
from shopmill.run.run import Run
from shopmill.run.staging import Extent
from shopmill.source.snapshot import Snapshot
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import refuse
from shopmill.versions.snapshot_documents import read_snapshot

log = logging.getLogger(__name__)
RATES = "exchange_rates"


def extent_of(run: Run, previous: Manifest) -> Extent:
    """From which day on the run differs from the previous version; a full rebuild where nothing can be taken from it."""
    incremental = run.dataset.incremental
    if incremental is None or any(changes_of_making(run, previous)):
        return Extent()
    if previous.erased_from:
        log.info(
            "Everything is computed: a person was erased from the previous version, and its sums still count them."
        )
        return Extent()
    zone = run.settings.zone
    continued = AsOf.parse(previous.as_of, zone).day(zone)
    try:
        changed = min([continued, *_changed_days(run, previous, incremental)])
    except (FileNotFoundError, DamagedError) as error:
        log.warning("Everything is computed: what the previous version read is not known. %s", error)
        return Extent()
    settled = continued - timedelta(days=incremental.settling_days(run.parameters))
    first = min(changed - timedelta(days=incremental.reach_days(run.parameters)), settled)
    return Extent(changed, start_of_period(first, incremental))


def is_whole(run: Run, previous: Manifest) -> bool:
    """Whether the files of the previous version are what was published, so that this run may take them over.

    DamagedError where what is damaged is needed even to compute everything: the tables that the SQL, or a check, reads as
    they were.
    """
    damaged = run.versions.faults(
        previous, hashes=run.store.root is not None
    )  # S3 keeps bytes, or says that it lost them
    folder = run.versions.folder(previous)
    declared = run.dataset
    asked: tuple[QueryCheck | Announcement, ...] = (*declared.checks, *declared.announcements)
    queries = [*declared.sql.values(), *map(declared.query, asked)]
    named = {name for query in queries for name in base_tables(declared, query)}
    read = {
        f"{folder}/{t.name}" for t in run.dataset.tables if t.warm_up_days is None and f"{PREVIOUS}{t.name}" in named
    }
    again = f"shopmill run {run.dataset.name} --as-of {previous.as_of}"
    needed = {key: fault for key, fault in damaged.items() if key.rsplit("/", 1)[0] in read}
    refuse(run.store, needed, f"The run continues from that version: run `shopmill repair` or `{again}` first.")
    for key, fault in damaged.items():
        log.warning("%s %s: everything is computed.", run.store.uri(key), fault)
    return not damaged


def _changed_days(run: Run, previous: Manifest, incremental: Incremental) -> Iterator[date]:
    """The days whose raw rows are not those that the previous version was made of."""
    for name in incremental.facts:
        before, now = snapshot_of(run, previous, name).days, run.inputs[name].days
        different = {day for day in before.keys() | now.keys() if before.get(day) != now.get(day)}
        yield from (date.fromisoformat(day) for day in different if day[:1].isdigit())
    yield from _days_of_changed_rates(run, previous)


def _days_of_changed_rates(run: Run, previous: Manifest) -> Iterator[date]:
    """The days from which on an exchange rate is another than the previous version had: amounts of later days differ."""
    if RATES not in run.inputs:
        return
    before, now = snapshot_of(run, previous, RATES), run.inputs[RATES]
    if before.sha256 == now.sha256:
        return
    with run.store.scratch() as scratch:
        rates = [_rates(run.store.fetch([file.key for file in found.files], scratch)) for found in (before, now)]
    yield from (day for day, _, _ in rates[0] ^ rates[1] if day)


def _rates(files: list[Path]) -> set[tuple[date | None, str, Decimal]]:
    import pyarrow.parquet as pq

    tables = [pq.read_table(file, columns=["day", "currency", "rate"], partitioning=None) for file in files]
    return {tuple(row.values()) for table in tables for row in table.to_pylist()}


def snapshot_of(run: Run, previous: Manifest, table: str) -> Snapshot:
    """What an earlier version read of one source table."""
    return Snapshot.from_document(read_snapshot(run.store, previous.beside["snapshots"][table]["key"]))


def start_of_period(day: date, incremental: Incremental) -> date:
    """The first day of the period that `day` is in; weeks begin on Monday."""
    if incremental.period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if incremental.period == "week" else day
