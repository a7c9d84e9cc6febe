"""An engine with the tables that a query asks for: raw inputs, staged tables, the previous version, lookups."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from shopmill.asof import AsOf
from shopmill.declaration import Incremental, Table
from shopmill.engine.clocks import refuse_other_rules
from shopmill.engine.compose import base_tables, compose, names_in, views_of
from shopmill.engine.identifiers import quote
from shopmill.engine.profile import part
from shopmill.engine.protocol import Bound, Queries, bind
from shopmill.engine.splitting import cut_of, label_of
from shopmill.errors import InvalidInputError
from shopmill.run.content import PREVIOUS
from shopmill.run.continuation import snapshot_of, start_of_period
from shopmill.run.files import Files, open_files
from shopmill.run.functions import Context
from shopmill.run.run import Run
from shopmill.run.shop_values import shop_values
from shopmill.run.spans import ALL_DAYS, Span, spans
from shopmill.run.staging import Extent
from shopmill.source.contract import TABLES
from shopmill.source.snapshot import UNDATED, RawFile
from shopmill.versions.manifest import Manifest

CHANGED, FORMER = "changed_", "former_"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SOURCE = "source_"
"""An input can be named `source_<table>` too: what to do where a published table has the name of an input."""
HELD = ("judged_orders", "returned_items")
"""Views that are computed once and held, those first that others are made of: every query of order lines reads the orders,
and to look for ids that repeat is dearer than to keep the rows; what came back is little, and found among all lines."""
HELD_COLUMNS = "* replace (case when problem is not null then source_row end as source_row)"
"""Of rows without a problem nobody asks what they were."""


class Workspace:
    """Makes tables known to the engine when they are first needed, so that nothing is fetched for nothing."""

    def __init__(self, run: Run, files: Files, scratch: Path, only_computed: bool = False):
        self.run, self.files, self.scratch, self.only_computed = run, files, scratch, only_computed
        self.engine: Queries = files.engine
        zone = run.settings.zone
        self.periods: frozenset[date] | None = None
        """The first days of the periods that are computed of a narrowed table; None for all from `since` on."""
        self.bound: Bound = bind(
            run.parameters,
            as_of=run.as_of.day(zone),
            as_of_at=run.as_of.instant,
            time_zone=run.settings.time_zone,
            since=self._first_day,
            until=ALL_DAYS.until,
            changed_since=self._extent.changed or date.min,
            continued_at=self.continued_at,
            is_full=self.is_full,
            **shop_values(run.settings, run.inputs),
            **(run.dataset.incremental.margins(run.parameters) if run.dataset.incremental else {}),
        )
        self.context = Context(self.bound, run.settings, run.store)
        self.held: dict[str, dict[str, list[str]]] = {}
        """What the engine holds, with the files and the values that each is made of."""
        self._files: dict[str, list[str]] = {}
        self._of_previous: dict[str, list[str]] = {}
        self._known: set[str] = set()
        self._reads_all = False

    def prepare(self, queries: Iterable[str]) -> None:
        """Makes every table known that the queries, with their views, read."""
        queries, dataset = list(queries), self.run.dataset
        for name in sorted({name for query in queries for name in base_tables(dataset, query)} - self._known):
            self._make_known(name)
            self._known.add(name)
        read = {name for query in queries for name in views_of(dataset, query)}
        for name in (*HELD, *dataset.held):
            if name in read:
                self._hold(name)

    def _hold(self, name: str) -> None:
        """Lets the engine compute a view once, and again where it is made of other files or values."""
        query = f"select {HELD_COLUMNS if name in HELD else '*'} from {quote(name)}"
        made_of = self._made_of(query)
        if self.held.get(name) != made_of:
            with part(f"{name}, held"):
                others = {other: of for other, of in self.held.items() if other != name}
                if self.engine.hold(name, compose(self.run.dataset, query, others), self.bound):
                    self.held[name] = made_of

    def _made_of(self, query: str) -> dict[str, list[str]]:
        dataset = self.run.dataset
        values = {
            name: [str(self.bound[name])] for name in names_in(compose(dataset, query)).parameters & {*self.bound}
        }
        days = [str(self.since), str(self.until)]  # what a lookup gives may depend on them
        return values | {base: self._files.get(base, days) for base in base_tables(dataset, query)}

    def compose(self, query: str) -> str:
        """A query of the dataset with its views in front, but for what the engine holds."""
        return compose(self.run.dataset, query, self.held)

    def begin(self, narrowed_by: str = "", reads_all: bool = False) -> None:
        """Sets what is computed next, and `$since`: all that the run computes, or what the table `narrowed_by` says of it.

        With `reads_all` the inputs have the rows of all days.
        """
        self.periods = self._narrowed(narrowed_by)
        if reads_all != self._reads_all:
            self._reads_all = reads_all
            self._known.clear()
        since = self._first_day
        if self.periods is not None:
            since = max(since, min(self.periods, default=self.bound["as_of"]))
        self.go_to(replace(ALL_DAYS, since=since))

    def go_to(self, span: Span) -> None:
        """Sets `$since` and `$until`: the days whose rows are computed next."""
        if span != Span(self.since, self.until):
            self.bound = {**self.bound, "since": span.since, "until": span.until}
            self.context = replace(self.context, bound=self.bound)
            self._known.clear()  # which files a name stands for depends on it, and what a lookup gives

    def spans(self) -> list[Span]:
        """What is computed now, cut where the facts have more rows than the engine should hold at once."""
        incremental, at_once = self.run.dataset.incremental, self.engine.rows_at_once
        whole = Span(self.since, self.until)
        if incremental is None or at_once is None:
            return [whole]
        cut = {*incremental.facts} - {*incremental.read_whole}
        rows = Counter[date]()
        for file in chain.from_iterable(self.run.inputs[table].files for table in cut):
            if file.day and file.day != UNDATED and file.day >= str(self.since):
                rows[date.fromisoformat(file.day)] += file.rows
        return list(spans(whole, rows, partial(start_of_period, incremental=incremental), at_once))

    def computes(self, period: date) -> bool:
        """Whether the rows of the period that begins on a day are computed."""
        return period >= self.since and (self.periods is None or period in self.periods)

    def _narrowed(self, narrowed_by: str) -> frozenset[date] | None:
        incremental = self.run.dataset.incremental
        if incremental is None or not narrowed_by or self.is_full:
            return None
        self.prepare([found := f"select day from {quote(narrowed_by)}"])
        return frozenset(start_of_period(row["day"], incremental) for row in self.engine.rows(found, {}))

    def _make_known(self, name: str) -> None:
        declared = {table.name: table for table in self.run.dataset.tables}
        if name in declared:
            staging = self.run.staging
            keys = [staged.key for staged in staging.files(name)]
            self._view(name, declared[name], [k for k in keys if not self.only_computed or staging.has(k)])
        elif (table := name.removeprefix(SOURCE)) in self.run.inputs:
            self._raw_view(name, table, [f.key for f in self.run.inputs[table].files if self._is_needed(table, f.day)])
        elif (table := name.removeprefix(CHANGED)) in self.run.inputs:
            self._raw_view(name, table, [f.key for f in self._differing(table)[0]])
        elif (table := name.removeprefix(FORMER)) in self.run.inputs:
            self._raw_view(name, table, [f.key for f in self._differing(table)[1]])
        elif name.removeprefix(PREVIOUS) in declared:
            before = declared[name.removeprefix(PREVIOUS)]
            self._view(name, before, self._previous_keys(before))
        elif made := self.run.upstream_keys(name):
            columns, keys = made
            self.files.view(name, keys, columns)
        elif (rows := self._small().get(name)) is not None:
            self.engine.table(name, rows)
        else:
            raise InvalidInputError(
                f"{self.run.dataset.name} reads {name}, which is neither an input, a table nor a lookup of it."
            )

    def _is_needed(self, name: str, day: str) -> bool:
        """Whether rows of a day are read: an incremental run leaves older ones alone."""
        incremental = self.run.dataset.incremental
        if incremental is None or name not in incremental.facts or day == UNDATED:
            return True
        if self._reads_all or name in incremental.read_whole:
            return True
        return day < str(self.until) and (self.since == date.min or day >= self._warm_up(incremental))

    def _warm_up(self, incremental: Incremental) -> str:
        return str(self.since - timedelta(days=incremental.warm_up_days(self.run.parameters)))

    def _differing(self, table: str) -> tuple[list[RawFile], list[RawFile]]:
        """The raw files that the previous version was not made of, and those that it had instead."""
        now = self.run.inputs[table]
        if self.previous is None or self.is_full:
            return list(now.files), []
        before = snapshot_of(self.run, self.previous, table)
        days_before, days_now = before.days, now.days
        return (
            [file for file in now.files if days_before.get(file.day) != file.sha256],
            [file for file in before.files if days_now.get(file.day) != file.sha256],
        )

    def _raw_view(self, name: str, table: str, keys: list[str]) -> None:
        columns = {column.name: column.type for column in TABLES[table].columns}
        self.files.view(name, keys, columns)
        self._files[name] = keys

    def _view(self, name: str, table: Table, keys: list[str]) -> None:
        cut = cut_of(table.partition_by, [label_of(key) for key in keys]) if table.partition_by else None
        self.files.view(name, keys, {c.name: c.type for c in table.columns}, cut)
        self._files[name] = keys

    def _previous_keys(self, table: Table) -> list[str]:
        """Files of the previous version; columns that it did not have yet are null."""
        manifest = self.previous
        if manifest is None or table.name not in manifest.tables:
            return []
        return [key for key in self.keys_of_previous(table.name) if self._is_warm_up(table, key)]

    def keys_of_previous(self, table: str) -> list[str]:
        """The keys of all files of a table of the previous version; they are looked at once."""
        if self.previous and table not in self._of_previous:
            self._of_previous[table] = self.run.versions.keys_of(self.previous, table)
        return self._of_previous.get(table, [])

    def _is_warm_up(self, table: Table, key: str) -> bool:
        """Whether a file of the previous version has rows that an incremental run looks back at."""
        incremental = self.run.dataset.incremental
        if incremental is None or table.warm_up_days is None:
            return True
        if self.is_full:
            return False
        first = start_of_period(self.since - timedelta(days=table.warm_up_days), incremental)
        return str(first) <= label_of(key) < str(self.since)

    @cached_property
    def previous(self) -> Manifest | None:
        """The version that the run continues from, as its first transform task pinned it."""
        pin = self.run.staging.previous()
        return self.run.versions.exactly(pin.as_of, pin.version) if pin else None

    @property
    def since(self) -> date:
        """The first day that is computed; before it, partitioned tables are taken over from the previous version."""
        found: date = self.bound["since"]
        return found

    @property
    def until(self) -> date:
        """The day before which rows are computed: later ones are those of another span."""
        found: date = self.bound["until"]
        return found

    @cached_property
    def _extent(self) -> Extent:
        return self.run.staging.extent()

    @property
    def is_full(self) -> bool:
        """Whether everything is computed, and nothing taken over from the previous version."""
        return self._extent.computed is None

    @property
    def _first_day(self) -> date:
        return self._extent.computed or date.min

    @property
    def continued_at(self) -> datetime:
        """The as_of of the version that is continued; long ago where everything is computed."""
        if self.previous is None or self.is_full:
            return LONG_AGO
        return AsOf.parse(self.previous.as_of, self.run.settings.zone).instant

    def _small(self) -> dict[str, pa.Table]:
        days = [(name, file.day, file.rows) for name, snapshot in self.run.inputs.items() for file in snapshot.files]
        input_rows = {
            "table_name": pa.array(list(self.run.inputs), pa.string()),
            "row_count": pa.array([snapshot.rows for snapshot in self.run.inputs.values()], pa.int64()),
        }
        input_days = {
            "table_name": pa.array([name for name, _, _ in days], pa.string()),
            "day": pa.array([day for _, day, _ in days], pa.string()),
            "row_count": pa.array([rows for _, _, rows in days], pa.int64()),
        }
        return {
            "input_rows": pa.table(input_rows),
            "input_days": pa.table(input_days),
            **self.run.dataset.lookups(self.bound),
        }


@contextmanager
def open_workspace(run: Run, only_computed: bool = False) -> Iterator[Workspace]:
    """An engine of the run's settings with scratch space, which ends with the block.

    With `only_computed` the run's tables lack the rows that were taken over from the previous version.
    """
    with run.store.scratch() as scratch, open_files(run, scratch) as files:
        refuse_other_rules(files.engine, run.settings.zone, run.settings.first_day, run.as_of.day(run.settings.zone))
        yield Workspace(run, files, scratch, only_computed)
