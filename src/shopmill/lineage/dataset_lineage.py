"""Where the columns of a dataset come from: its SQL followed back to the shop's tables and to other versions.

Read from the declaration alone: nothing is run, and no data are looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlglot.errors import SqlglotError

from shopmill import datasets
from shopmill.declaration import Dataset, Table
from shopmill.engine.compose import compose
from shopmill.lineage.column_lineage import DIRECT, Role, Schema, Source, Statement, combined
from shopmill.run.content import PREVIOUS
from shopmill.run.workspace import CHANGED, FORMER, SOURCE
from shopmill.source.contract import TABLES
from shopmill.source.mapping import Mapping as SourceMapping

COUNTS = {"input_rows": {"row_count": "bigint"}, "input_days": {"row_count": "bigint", "day": "varchar"}}


@dataclass(frozen=True, order=True)
class Origin:
    """A column that another one comes from: of a table of the shop, or of a version of a dataset.

    A column of the dataset itself is one of the previous version.
    """

    dataset: str
    table: str
    column: str
    role: Role

    @property
    def is_direct(self) -> bool:
        """Whether its values become values of the column, not only decide about them."""
        return self.role in DIRECT

    def __str__(self) -> str:
        place = f"{self.dataset}.{self.table}" if self.dataset else self.table
        return f"{place}.{self.column}"


@dataclass(frozen=True)
class ColumnLineage:
    """What a published column comes from, and what it is made of besides: constants, parameters, counts, functions."""

    origins: tuple[Origin, ...]
    besides: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Why a column has no origin whose values it takes; empty where it has one."""
        return "" if any(origin.is_direct for origin in self.origins) else ", ".join(self.besides)


@dataclass(frozen=True)
class TableLineage:
    """The lineage of each column of a table, and what decides which rows the table has."""

    columns: Mapping[str, ColumnLineage]
    conditions: tuple[Origin, ...]

    @property
    def origins(self) -> tuple[Origin, ...]:
        """All columns that the table comes from, in any role."""
        return tuple(sorted({o for column in self.columns.values() for o in column.origins} | set(self.conditions)))


class DatasetLineage:
    """The lineage of the tables of one dataset."""

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self._statements: dict[str, Statement] = {}
        self._traced: dict[Source, set[Origin | Source]] = {}
        self._deciding: dict[str, set[Origin]] = {}

    def table(self, name: str) -> TableLineage:
        """The lineage of a table, published or not."""
        table = self.dataset.table(name)
        columns = {column.name: self._column(table, column.name) for column in table.columns}
        return TableLineage(columns, tuple(sorted(self._conditions(name))))

    def _column(self, table: Table, column: str) -> ColumnLineage:
        found = self._followed(self._given(table, column))
        origins = {origin for origin in found if isinstance(origin, Origin)}
        besides = {source.column for source in found if isinstance(source, Source)}
        return ColumnLineage(tuple(sorted(origins)), tuple(sorted(besides)))

    def _given(self, table: Table, column: str) -> Iterable[Source]:
        """What a column is made of, as the SQL names it.

        A function hands on the columns that it is given; what it adds may come from any of them.
        """
        statement = self._statement(table.name)
        if column in statement.columns:
            return statement.sources(column)
        given = {s.within("TRANSFORMATION") for name in statement.columns for s in statement.sources(name)}
        return given | {Source("", f"computed by {table.function}", "TRANSFORMATION")}

    def _conditions(self, name: str) -> set[Origin]:
        """Conditions on the rows of a table and, as these decide about its rows too, of unpublished ones it reads."""
        if name not in self._deciding:
            self._deciding[name] = self._decide(name)
        return self._deciding[name]

    def _decide(self, name: str) -> set[Origin]:
        statement = self._statement(name)
        found = {origin for origin in self._followed(statement.conditions()) if isinstance(origin, Origin)}
        for inner in statement.tables & self._declared.keys() - {name}:
            found |= self._conditions(inner)
        return found

    def _followed(self, sources: Iterable[Source]) -> set[Origin | Source]:
        """Sources traced through the tables that the run computes itself; what is not a column stays a Source."""
        return {found for source in sources for found in self._follow(source)}

    def _follow(self, source: Source) -> set[Origin | Source]:
        """Once for each source: many columns come from the same one."""
        if source not in self._traced:
            self._traced[source] = self._trace(source)
        return self._traced[source]

    def _trace(self, source: Source) -> set[Origin | Source]:
        table, column, role = source.table, source.column, source.role
        if table in self._declared:
            inner = {s.within(role) for s in self._given(self._declared[table], column)}
            return self._followed(inner)
        shop = _shop_table(table)
        if shop in TABLES:
            return {Origin("", shop, column, role)}
        if (before := table.removeprefix(PREVIOUS)) != table:
            return {Origin(self.dataset.name, before, column, role)}
        upstream, _, of_upstream = table.partition("__")
        if of_upstream:
            return {Origin(upstream, of_upstream, column, role)}
        return {Source("", f"lookup {table}" if table else column, role)}

    def _statement(self, name: str) -> Statement:
        if name not in self._statements:
            self._statements[name] = Statement(compose(self.dataset, self.dataset.sql[name]), self.schema)
        return self._statements[name]

    @cached_property
    def _declared(self) -> Mapping[str, Table]:
        return {table.name: table for table in self.dataset.tables}

    @cached_property
    def schema(self) -> Schema:
        """The columns of everything that the SQL of the dataset may name."""
        raw = {name: {column.name: column.type for column in table.columns} for name, table in TABLES.items()}
        own = {table.name: _columns(table) for table in self.dataset.tables}
        upstream = {
            f"{needed.table}__{table.name}": _columns(table)
            for needed in self.dataset.upstream
            for table in datasets.load(needed.table).published
        }
        return {
            **{f"{prefix}{name}": columns for prefix in ("", SOURCE, CHANGED, FORMER) for name, columns in raw.items()},
            **own,
            **{f"{PREVIOUS}{name}": columns for name, columns in own.items()},
            **upstream,
            **{name: {"table_name": "varchar", **columns} for name, columns in COUNTS.items()},
            **_lookups(self.dataset),
        }


def _shop_table(name: str) -> str:
    """The table of the shop behind a name such as `source_reviews` or `changed_events`."""
    found = (name.removeprefix(prefix) for prefix in (SOURCE, CHANGED, FORMER) if name.startswith(prefix))
    return next(found, name)


def _columns(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def _lookups(dataset: Dataset) -> dict[str, dict[str, str]]:
    """The columns of a dataset's lookups, whatever the values they are made of."""
    day = date(2000, 1, 1)
    made = dataset.lookups({**dataset.parse_parameters({}), "as_of": day, "since": day})
    return {name: {field.name: "unknown" for field in table.schema} for name, table in made.items()}


@dataclass(frozen=True)
class ShopLineage:
    """The mapping followed back: the columns of the shop's own tables behind each column of the contract."""

    mapping: SourceMapping

    def tables(self, table: str) -> set[str]:
        """The shop's own tables that a table of the contract is selected from, as the mapping names them."""
        return self._statement(table).tables if table in self.mapping.selects else set()

    def followed(self, origin: Origin) -> set[Origin]:
        """The columns of the shop's own tables behind a column of the contract.

        None where the mapping lacks it, or does not say which of several tables it is of.
        """
        try:
            sources = self._sources(origin.table, origin.column)
        except SqlglotError:
            return set()
        return {Origin("", s.table, s.column, combined(origin.role, s.role)) for s in sources if s.table}

    def _sources(self, table: str, column: str) -> Iterable[Source]:
        if table not in self.mapping.selects:
            return ()
        statement = self._statement(table)
        if column in statement.columns:
            return statement.sources(column)
        names_all = "*" in statement.columns and len(statement.tables) == 1
        return [Source(next(iter(statement.tables)), column)] if names_all else ()

    def _statement(self, table: str) -> Statement:
        return Statement(self.mapping.select(table), {}, dialect="postgres")
