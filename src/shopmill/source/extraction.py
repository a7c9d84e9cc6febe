"""The extract step: brings the raw snapshots of some tables at an as_of into the store, reading only what is new."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from shopmill.asof import AsOf, midnight
from shopmill.engine.identifiers import quote
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceTable
from shopmill.source.database import Source, open_source
from shopmill.source.mapping import Mapping, load_mapping
from shopmill.source.snapshot import FIRST_DAY, Plan, RawFile, Snapshot, SnapshotCatalogue
from shopmill.source.stream import read_rows
from shopmill.versions.store import Store, sha256_of

log = logging.getLogger(__name__)
Lock = Callable[[str], AbstractContextManager[object]]
Progress = Callable[[str, int], None]
"""Told the table and how many rows of it have been written so far."""


@dataclass(frozen=True)
class Extraction:
    """What an extract task needs: where from, where to, the moment, and the lock that keeps two from reading one table."""

    settings: Settings
    store: Store
    as_of: AsOf
    lock: Lock
    progress: Progress = lambda _table, _rows: None

    def run(self, tables: Iterable[str], refresh: bool = False) -> dict[str, Snapshot]:
        """The snapshots of `tables`, read where the store has none for this as_of (or where `refresh` asks for new ones)."""
        wanted = sorted(_with_relatives(tables))
        mapping = load_mapping(self.settings)
        catalogues = {
            name: SnapshotCatalogue(self.store, TABLES[name], mapping.fingerprint(TABLES[name])) for name in wanted
        }
        with ExitStack() as stack:
            for name in wanted:
                stack.enter_context(self.lock(f"raw {name}"))
            found = {
                name: snapshot for name, c in catalogues.items() if not refresh and (snapshot := c.find(self.as_of))
            }
            plans = {
                name: catalogues[name].plan(self.as_of, self.settings.zone, self.settings.lookback_days, refresh)
                for name in wanted
                if name not in found
            }
            files = self._read(mapping, [(catalogues[name], plan) for name, plan in plans.items() if plan.read])
            for name, plan in plans.items():
                snapshot = Snapshot(
                    name, self.as_of.label, plan.read_as_of, _sorted([*plan.carried, *files.get(name, [])])
                )
                found[name] = catalogues[name].save(self.as_of, snapshot)
        return found

    def _read(self, mapping: Mapping, plans: list[tuple[SnapshotCatalogue, Plan]]) -> dict[str, list[RawFile]]:
        if not plans:
            return {}
        with (
            open_source(self.settings.source_dsn.get_secret_value(), mapping) as source,
            self.store.scratch() as scratch,
        ):
            missing = {c.table.name for c, _ in plans if c.table.optional and not source.has(c.table)}
            if missing:
                log.info("optional and not there, taken as empty: %s", ", ".join(sorted(missing)))
            return {
                catalogue.table.name: self._read_table(source, catalogue, plan, scratch)
                for catalogue, plan in plans
                if catalogue.table.name not in missing
            }

    def _read_table(self, source: Source, catalogue: SnapshotCatalogue, plan: Plan, scratch: Path) -> list[RawFile]:
        table = catalogue.table
        columns = _columns(table, source.check(table))
        files: list[RawFile] = []
        for condition in self._conditions(table, plan):
            query = query_for(source, table, condition, columns)
            ordered = f"{query} order by {quote(table.time)}" if table.is_fact else query
            with source.stream(table, ordered) as reader:
                read_rows(reader, table, self.settings, scratch, partial(self._adopt, catalogue, files))
            source.confirm(table)
        log.info("%s: %d rows read in %d files", table.name, sum(file.rows for file in files), len(files))
        return files

    def _conditions(self, table: SourceTable, plan: Plan) -> list[str]:
        """The rows to read, as conditions on the time: the days that are due, then the rows without a time."""
        if not table.is_fact:
            return ["true"]
        time = quote(table.time)
        first, since = self._bound(table, FIRST_DAY), self._bound(table, plan.read_from or FIRST_DAY)
        return [f"{time} >= {since} and {time} < {self._bound(table, None)}", f"{time} is null or {time} < {first}"]

    def _bound(self, table: SourceTable, day: date | None) -> str:
        """A half-open bound as an SQL literal, for a date column by the shop's day, else the instant."""
        zone = self.settings.zone
        if table.has_dates:
            return f"date '{day or self.as_of.day(zone)}'"
        return f"timestamptz '{(midnight(day, zone) if day else self.as_of.instant).isoformat()}'"

    def _adopt(self, catalogue: SnapshotCatalogue, files: list[RawFile], day: str, path: Path, rows: int) -> None:
        sha256, size = sha256_of(path), path.stat().st_size
        key = f"{catalogue.folder}/{f'day={day}/' if day else ''}{sha256[:16]}.parquet"
        self.store.adopt(path, key)
        self.progress(catalogue.table.name, rows)
        files.append(RawFile(day, key, rows, size, sha256))


def _columns(table: SourceTable, types: dict[str, str]) -> str:
    """The contract's columns that the shop has. A numeric travels as text, which it becomes on arrival in any case."""
    named = {column.name: f"mapped.{quote(column.name)}" for column in table.columns if column.name in types}
    return ", ".join(
        f"{value}::text as {quote(name)}" if types[name] == "numeric" else value for name, value in named.items()
    )


def query_for(source: Source, table: SourceTable, condition: str, columns: str = "mapped.*") -> str:
    """The mapped rows of a table that meet a condition on its time, which may come from another table."""
    select = source.mapping.select(table.name)
    if table.time_of is None:
        return f"select {columns} from ({select}) as mapped where {condition}"
    other, key = table.time_of
    dated = (
        f"select {quote(key)}, min({quote(table.time)}) as {quote(table.time)} from ({source.mapping.select(other)}) as other "
        f"where {condition} group by {quote(key)}"
    )
    return f"select {columns}, dated.{quote(table.time)} from ({select}) as mapped join ({dated}) as dated using ({quote(key)})"


def _with_relatives(tables: Iterable[str]) -> set[str]:
    """Tables that must agree with each other are read together: who asks for items gets their orders, and the reverse."""
    wanted = set(tables)
    for table in TABLES.values():
        if table.time_of and wanted & {table.name, table.time_of[0]}:
            wanted |= {table.name, table.time_of[0]}
    return wanted


def _sorted(files: list[RawFile]) -> tuple[RawFile, ...]:
    return tuple(sorted(files, key=lambda file: (file.day, file.key)))
