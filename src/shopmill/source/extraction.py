"""The extract step: brings the raw snapshots of some tables at an as_of into the store, reading only what is new."""

import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError, MissingTableError
from shopmill.settings import Settings
from shopmill.source.clocks import refuse_other_rules
from shopmill.source.contract import TABLES, SourceTable
from shopmill.source.database import Source, open_source, replaced_while_read
from shopmill.source.mapping import Mapping, load_mapping
from shopmill.source.reading import Progress, Reader
from shopmill.source.selection import Selection
from shopmill.source.shop import claim, shop_of
from shopmill.source.snapshot import Plan, Snapshot, SnapshotCatalogue
from shopmill.source.tombstones import Sieve
from shopmill.versions.store import Store

log = logging.getLogger(__name__)
Lock = Callable[[str], AbstractContextManager[object]]
CLOCKS_DIFFER = timedelta(minutes=5)
Foreseen = Snapshot | Plan
"""A snapshot that is there, or what is to be read for one."""


@dataclass(frozen=True)
class Extraction:
    """What an extract task needs: where from, where to, the moment, and the lock that keeps two from reading one table."""

    settings: Settings
    store: Store
    as_of: AsOf
    lock: Lock
    progress: Progress = lambda _table, _rows: None

    def run(self, tables: Iterable[str], refresh: bool = False, optional: Collection[str] = ()) -> dict[str, Snapshot]:
        """The snapshots of `tables`, read where the store has none for this as_of (or where `refresh` asks for new ones).

        Those that are `optional` may be missing in the shop, and are empty then.
        """
        _refuse_the_future(self.as_of)
        asked = set(tables)
        mapping = load_mapping(self.settings)
        catalogues = self._catalogues(mapping, sorted(_with_relatives(asked)))
        asked -= set(optional)
        with ExitStack() as stack:
            for name in catalogues:
                stack.enter_context(self.lock(f"raw {name}"))
            foreseen = self._foreseen(catalogues, refresh)
            found = {name: snapshot for name, snapshot in foreseen.items() if isinstance(snapshot, Snapshot)}
            plans = {name: plan for name, plan in foreseen.items() if isinstance(plan, Plan)}
            made = self._carried(plans) | self._read(mapping, catalogues, plans, asked)
            _refuse_the_absent({**found, **made}, asked)
            for name, snapshot in made.items():
                if snapshot.not_read:
                    log.info("%s: %s", name, snapshot.not_read)
            return found | {name: catalogues[name].save(self.as_of, snapshot) for name, snapshot in made.items()}

    def foresee(self, tables: Iterable[str], refresh: bool = False) -> dict[str, Foreseen]:
        """What `run` would do, by table: the snapshot that there is, or what is read for one. Reads no row, writes nothing."""
        _refuse_the_future(self.as_of)
        catalogues = self._catalogues(load_mapping(self.settings), sorted(set(tables)))
        carried = self._foreseen(catalogues, refresh)
        sure = self._carried({name: plan for name, plan in carried.items() if isinstance(plan, Plan)})
        return {name: sure.get(name, found) for name, found in carried.items()}

    def _foreseen(self, catalogues: dict[str, SnapshotCatalogue], refresh: bool) -> dict[str, Foreseen]:
        zone, lookback = self.settings.zone, self.settings.lookback_days
        there = {name: None if refresh else catalogue.find(self.as_of) for name, catalogue in catalogues.items()}
        return {
            name: there[name] or catalogue.plan(self.as_of, zone, lookback, refresh)
            for name, catalogue in catalogues.items()
        }

    def read_days(self, table: str, days: Collection[date]) -> dict[str, Snapshot]:
        """New snapshots of this as_of in which some days of a table, and of what is dated with it, are read again."""
        mapping = load_mapping(self.settings)
        catalogues = self._catalogues(mapping, sorted(_with_relatives({table})))
        with ExitStack() as stack:
            for name in catalogues:
                stack.enter_context(self.lock(f"raw {name}"))
            plans = {
                name: Plan(base, True, date.max, frozenset(days))
                for name, catalogue in catalogues.items()
                if (base := catalogue.find(self.as_of))
            }
            made = self._read(mapping, catalogues, plans, {table})
            return {name: catalogues[name].save(self.as_of, snapshot) for name, snapshot in made.items()}

    def _catalogues(self, mapping: Mapping, names: list[str]) -> dict[str, SnapshotCatalogue]:
        return {name: SnapshotCatalogue(self.store, TABLES[name], mapping.fingerprint(TABLES[name])) for name in names}

    def _carried(self, plans: dict[str, Plan]) -> dict[str, Snapshot]:
        """Snapshots that need no reading: their files are there."""
        return {
            name: replace(
                plan.base,
                as_of=self.as_of.label,
                read_as_of=self.as_of.label if TABLES[name].is_fact else plan.base.read_as_of,
                files=plan.carried(),
                not_read=f"nothing read, all before {self.as_of.label} kept as read for {plan.base.as_of}",
            )
            for name, plan in plans.items()
            if plan.base and not plan.read
        }

    def _read(
        self,
        mapping: Mapping,
        catalogues: dict[str, SnapshotCatalogue],
        plans: dict[str, Plan],
        asked: Collection[str],
    ) -> dict[str, Snapshot]:
        due = {name: plan for name, plan in plans.items() if plan.read}
        if not due:
            return {}
        with open_source(self.settings, mapping) as source, self.store.scratch() as scratch:
            refuse_other_rules(source, self.as_of.day(self.settings.zone))
            known = {name for name in due if (last := catalogues[name].newest()) and not last.is_absent}
            tables = [TABLES[name] for name in due]
            selections = source.holding(lambda: self._selections(source, tables, {*asked, *known}))
            there = {name: selection for name, selection in selections.items() if selection}
            claim(self.store, shop_of(source, there.values()))
            sieve = Sieve.of(self.store, self.settings.pseudonym_key)
            reader = Reader(source, self.settings, self.store, self.as_of, scratch, self.progress, sieve)
            read = reader.read({name: (catalogues[name], there[name], due[name]) for name in there})
            if replaced := source.replaced():  # such as a partition that the first look had no need of
                raise replaced_while_read(replaced)
            absent = {name: Snapshot(name, self.as_of.label, self.as_of.label, ()) for name in due if name not in there}
            return read | {name: replace(snapshot, taken_at=reader.taken_at) for name, snapshot in absent.items()}

    def _selections(
        self, source: Source, tables: list[SourceTable], asked: Collection[str]
    ) -> dict[str, Selection | None]:
        """The tables as the shop has them; None for one that it does not have, and that nobody needs."""
        found: dict[str, Selection | None] = {}
        for table in tables:
            try:
                found[table.name] = source.selection(table)
            except MissingTableError as error:
                if table.name in asked:
                    raise
                log.info("%s It is taken as empty.", error)
                found[table.name] = None
        return found


def _refuse_the_absent(snapshots: dict[str, Snapshot], needed: Collection[str]) -> None:
    """A table that an earlier run could do without, and was not there, is missing to one that needs it."""
    for name in sorted(needed):
        if name in snapshots and snapshots[name].is_absent:
            raise MissingTableError(
                f"{name}: the shop had no such table when it was read for {snapshots[name].as_of}. "
                f"Add {name}.sql to the mapping, then run again with --refresh."
            )


def _refuse_the_future(as_of: AsOf) -> None:
    """No dataset reads a clock; the step that asks the shop does, for what is not over yet cannot be read."""
    if as_of.instant > datetime.now(UTC) + CLOCKS_DIFFER:
        raise InvalidInputError(
            f"as_of {as_of.label} is in the future: rows that are dated before it are still to come. Choose a past as_of."
        )


def _with_relatives(tables: Iterable[str]) -> set[str]:
    """Tables that must agree with each other are read together: who asks for items gets their orders, and the reverse."""
    wanted = set(tables)
    for table in TABLES.values():
        if table.time_of and wanted & {table.name, table.time_of[0]}:
            wanted |= {table.name, table.time_of[0]}
    return wanted
