"""Reads what a plan asks for out of one snapshot of the shop, and the days that turn out to be due besides.

Due besides are older days that had a change since they were read, where the shop has `changed_at`, and days that hold a
key which was read again under another day: an order whose date has moved is in one place only.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import duckdb

from shopmill.asof import AsOf
from shopmill.engine.duckdb_engine import connect
from shopmill.engine.identifiers import quote
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceTable
from shopmill.source.database import Source
from shopmill.source.selection import Selection, Span
from shopmill.source.snapshot import FIRST_DAY, UNDATED, Plan, RawFile, Snapshot, SnapshotCatalogue
from shopmill.source.stream import read_rows
from shopmill.source.tombstones import Sieve
from shopmill.source.values import Counts
from shopmill.versions import layout
from shopmill.versions.proof import faults
from shopmill.versions.store import Store, sha256_of

log = logging.getLogger(__name__)
Progress = Callable[[str, int], None]
"""Called with the table and how many rows of it have been written so far."""
Due = tuple[SnapshotCatalogue, Selection, Plan]
KEYS_MAY_MOVE = {"orders", "reviews"}
CHANGED = "changed_at"


@dataclass
class Job:
    """The reading of one table: what it is made of, what has been read, and what came of it."""

    catalogue: SnapshotCatalogue
    selection: Selection
    plan: Plan
    files: list[RawFile] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    days: set[date] = field(default_factory=set)

    @property
    def table(self) -> SourceTable:
        """The table of the contract."""
        return self.selection.table


@dataclass(frozen=True)
class Reader:
    """One transaction on the shop, and where what it reads is put."""

    source: Source
    settings: Settings
    store: Store
    as_of: AsOf
    scratch: Path
    progress: Progress
    sieve: Sieve | None = None

    @cached_property
    def taken_at(self) -> str:
        """The database's time of the transaction."""
        now = self.source.value("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
        return f"{now}+00:00"

    def read(self, due: dict[str, Due]) -> dict[str, Snapshot]:
        """The snapshots of the tables. What is dated together is read together: items go where their orders went."""
        jobs = {name: Job(c, selection, self._begun(selection, plan)) for name, (c, selection, plan) in due.items()}
        for group in _groups(jobs):
            for job in group:
                job.days |= self._changed_days(job)
            days = {day for job in group for day in job.days}
            for job in group:
                self._read_facts(job, days) if job.table.is_fact else self._read_queries(job, [job.selection.whole()])
                days |= self._read_moved(job, days)
            for job in group:  # what moved was found out after some of them had been read
                self._read_days(job, days - job.days)
        return {name: self._snapshot(job) for name, job in jobs.items()}

    def _begun(self, selection: Selection, plan: Plan) -> Plan:
        """The plan, or one that reads everything where the shop has other columns than it had."""
        before = plan.base.columns if plan.base else {}
        if before and dict(before) != dict(selection.types) and selection.table.is_fact:
            log.info("%s has other columns than before: all its days are read again", selection.table.name)
            return Plan()
        return plan

    def _changed_days(self, job: Job) -> set[date]:
        """The older days in which a row has changed since they were read; one query, which an index on changed_at serves."""
        base = job.plan.base
        if base is None or not base.taken_at or CHANGED not in job.selection.types or not job.table.is_fact:
            return set(job.plan.days)
        margin = timedelta(days=max(self.settings.lookback_days, 1))  # for transactions that were under way
        since = datetime.fromisoformat(base.taken_at) - margin
        span = Span.until_as_of(FIRST_DAY, self.as_of, self.settings.zone)
        found = self.source.rows(job.table, job.selection.days_changed(CHANGED, since, span))
        days = {date.fromisoformat(str(day)) for (day,) in found if day is not None}
        return set(job.plan.days) | {day for day in days if day < job.plan.read_from}

    def _read_facts(self, job: Job, days: Collection[date]) -> None:
        """The days of the plan, older days, and the rows without a day."""
        old = {day for day in days if day < job.plan.read_from}
        job.days |= old
        queries = [job.selection.dated(span) for span in self._spans(old)]
        if job.plan.read_from < date.max:
            queries.append(job.selection.dated(Span.until_as_of(job.plan.read_from, self.as_of, self.settings.zone)))
        self._read_queries(job, [*queries, job.selection.undated()])

    def _read_days(self, job: Job, days: Collection[date]) -> None:
        old = {day for day in days if day < job.plan.read_from}
        if job.table.is_fact and old:
            job.days |= old
            self._read_queries(job, [job.selection.dated(span) for span in self._spans(old)])

    def _spans(self, days: Collection[date]) -> Iterator[Span]:
        """Days that follow each other, as one span each."""
        ordered = sorted(days)
        begins = [day for day in ordered if day - timedelta(days=1) not in days]
        ends = [day + timedelta(days=1) for day in ordered if day + timedelta(days=1) not in days]
        for begin, end in zip(begins, ends, strict=True):
            if end > self.as_of.day(self.settings.zone):
                yield Span.until_as_of(begin, self.as_of, self.settings.zone)
            else:
                yield Span.of_days(begin, end, self.settings.zone)

    def _read_queries(self, job: Job, queries: list[str]) -> None:
        encoding, deliver = self.source.encoding, partial(self._adopt, job)
        for query in queries:
            with self.source.stream(job.table, query) as reader:
                place = (self.settings, self.scratch, deliver)
                job.counts.add(read_rows(reader, job.selection, *place, encoding, self.source.close, self.sieve))
            self.source.confirm(job.table)

    def _adopt(self, job: Job, day: str, path: Path, rows: int) -> None:
        sha256, size = sha256_of(path), path.stat().st_size
        key = f"{job.catalogue.folder}/{f'day={day}/' if day else ''}{sha256[:16]}.parquet"
        self.store.adopt(path, key)
        self.progress(job.table.name, rows)
        job.files.append(RawFile(day, key, rows, size, sha256))

    def _read_moved(self, job: Job, days: Collection[date]) -> set[date]:
        """Reads the days from which a key has moved that was read under another day; gives them."""
        kept = [file for file in job.plan.carried(days) if file.day not in {"", UNDATED}]
        if job.table.name not in KEYS_MAY_MOVE or not kept or not job.files:
            return set()
        moved = self._days_with_keys(job.table.key, kept, job.files)
        self._read_days(job, moved)
        return moved

    def _days_with_keys(self, key: str, kept: list[RawFile], read: list[RawFile]) -> set[date]:
        """The days of kept files that have a key which was read now, and of those that are damaged."""
        try:
            return {date.fromisoformat(file.day) for file in self._with_keys(key, kept, read)}
        except duckdb.Error:
            damaged = faults(self.store, kept, layout.RAW, hashes=True)
            if not damaged:
                raise
        for name, fault in damaged.items():
            log.warning("%s %s: its day is read from the shop again", self.store.uri(name), fault)
        whole = [file for file in kept if file.key not in damaged]
        days = {date.fromisoformat(file.day) for file in kept if file.key in damaged}
        return days | (self._days_with_keys(key, whole, read) if whole else set())

    def _with_keys(self, key: str, kept: list[RawFile], read: list[RawFile]) -> list[RawFile]:
        files = {str(path): file for file, path in zip(kept, self._paths(kept), strict=True)}
        column = quote(key)
        query = (
            f"select distinct filename from read_parquet($kept, filename = true) "
            f"where {column} in (select {column} from read_parquet($read) where {column} is not null)"
        )
        with connect(self.settings, self.scratch) as engine:
            paths = {"kept": list(files), "read": [str(path) for path in self._paths(read)]}
            return [files[path] for (path,) in engine.execute(query, paths).fetchall()]

    def _paths(self, files: list[RawFile]) -> list[Path]:
        return self.store.fetch([file.key for file in files], self.scratch)

    def _snapshot(self, job: Job) -> Snapshot:
        carried, name = job.plan.carried(job.days), job.table.name
        log.info("%s: %d rows read in %d files, %d files kept", name, job.counts.rows, len(job.files), len(carried))
        _warn(name, job.counts)
        files = sorted([*carried, *job.files], key=lambda file: (file.day, file.key))
        return Snapshot(
            name,
            self.as_of.label,
            self.as_of.label,
            tuple(files),
            taken_at=self.taken_at,
            columns=dict(job.selection.types),
            misfits=dict(job.counts.misfits),
            lossy={name: number for name, number in job.counts.lossy.items() if number},
            not_read=self._not_read(job, carried),
        )

    def _not_read(self, job: Job, carried: tuple[RawFile, ...]) -> str:
        """What was not looked at, and why, in one sentence."""
        if not carried or job.plan.base is None or job.plan.read_from == date.max:
            return ""
        changes = (
            "days with a change since then were read too"
            if CHANGED in job.selection.types
            else "a change in what is kept is found by `shopmill reconcile` or --refresh"
        )
        days = "1 day" if len(carried) == 1 else f"{len(carried)} days"
        return (
            f"{days} before {job.plan.read_from} kept as read for {job.plan.base.as_of} "
            f"(SHOPMILL_LOOKBACK_DAYS={self.settings.lookback_days}); {changes}"
        )


def _groups(jobs: dict[str, Job]) -> list[list[Job]]:
    """The tables that are dated together, the one that dates first."""
    dated = {table.name: table.time_of[0] for table in TABLES.values() if table.time_of}
    heads = [name for name in jobs if dated.get(name) not in jobs]
    return [[jobs[head], *(job for name, job in jobs.items() if dated.get(name) == head)] for head in heads]


def _warn(table: str, counts: Counts) -> None:
    for name, number in sorted(counts.misfits.items()):
        log.warning("%s: %d values of %s do not fit its type and are read as null", table, number, name)
    for name, number in sorted(counts.lossy.items()):
        if number:
            log.warning("%s: %d values of %s lose digits: they have more than it keeps", table, number, name)
