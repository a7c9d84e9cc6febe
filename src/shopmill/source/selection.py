"""What is sent for one table: the mapped columns as they travel, and the conditions that cut its rows by time."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.engine.identifiers import quote
from shopmill.source.contract import TABLES, SourceColumn, SourceTable
from shopmill.source.snapshot import FIRST_DAY, LAST_DAY, NEVER
from shopmill.zones import midnight

MISFIT = "_misfit_"
"""Before the name of a date: its text where readers could not open it, such as infinity or a year before Christ."""
ATTRIBUTE = "_attribute_"
"""Before a number: the shop's own columns, in the order of their names."""
SENT_AS_TEXT = {"numeric", "float4", "float8"}
"""A float as text is the shortest number that it stands for: 129.95, where its binary form is 129.949997."""
PLAIN_TEXT = {"text", "varchar"}
IDS = {"product_code"} | {
    column.name for table in TABLES.values() for column in table.columns if column.name.endswith("_id")
}
ALWAYS = {"starts_on": "-infinity", "ends_on": "infinity"}
"""The infinite dates that mean what null means: ever since, and still on."""


@dataclass(frozen=True)
class Span:
    """Days to read, from `since` until just before `until`; of the last day perhaps the beginning only."""

    since: date
    until: date
    until_at: datetime

    @classmethod
    def of_days(cls, since: date, until: date, zone: ZoneInfo) -> "Span":
        """Whole days."""
        return cls(since, until, midnight(until, zone))

    @classmethod
    def until_as_of(cls, since: date, as_of: AsOf, zone: ZoneInfo) -> "Span":
        """All that is dated before as_of."""
        return cls(since, as_of.day(zone), as_of.instant)


@dataclass(frozen=True)
class Selection:
    """A table as a shop has it: its SELECT, and the PostgreSQL type of each column that was found."""

    table: SourceTable
    select: str
    types: Mapping[str, str]
    zone: ZoneInfo

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The shop's own columns, where the table keeps them."""
        known = {column.name for column in self.table.selected}
        return tuple(sorted(self.types.keys() - known)) if self.table.has_attributes else ()

    @cached_property
    def found(self) -> tuple[SourceColumn, ...]:
        """The columns of the contract that the shop has."""
        return tuple(column for column in self.table.selected if column.name in self.types)

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that date a row, of which the first that is not null counts; none for a dimension."""
        return (self.table.time,) if self.table.is_fact else ()

    @property
    def time_is_date(self) -> bool:
        """Whether rows are dated by the day, not by the moment."""
        return any(column.name == self.table.time and column.type == "date" for column in self.table.columns)

    @property
    def mapped(self) -> str:
        """The mapped rows, as a table named `mapped`."""
        return f"(\n{self.select}\n) as mapped"

    def whole(self) -> str:
        """All rows of a dimension."""
        return f"select {self.columns()} from {self.mapped}"

    def dated(self, span: Span) -> str:
        """The rows of some days, in the order of their time."""
        time = f"mapped.{quote(self.table.time)}"
        return f"select {self.columns()} from {self.mapped} where {self.within(span)} order by {time}"

    def undated(self) -> str:
        """The rows without a usable time, whatever as_of is."""
        time = f"mapped.{quote(self.table.time)}"
        return f"select {self.columns(undated=True)} from {self.mapped} where {self.unusable(time)}"

    def days_changed(self, column: str, since: datetime, span: Span) -> str:
        """The days of a span of which a row has changed since a moment."""
        changed = f"mapped.{quote(column)} >= timestamptz '{since.isoformat()}'"
        return f"select distinct ({self.day()})::text from {self.mapped} where {changed} and {self.within(span)}"

    def within(self, span: Span, alias: str = "mapped") -> str:
        """The condition that the table's own time is in a span."""
        return between(f"{alias}.{quote(self.table.time)}", *self.bounds(span))

    @property
    def first(self) -> str:
        """The first time that can be used, as a literal."""
        return self.bounds(Span.of_days(FIRST_DAY, FIRST_DAY, self.zone))[0]

    @property
    def last(self) -> str:
        """The first time that cannot be used any more, as a literal."""
        return f"'{NEVER}'"

    @property
    def has_dates(self) -> bool:
        """Whether the shop's own time is a date: already the shop's day."""
        return self.types.get(self.table.time) == "date"

    def day(self) -> str:
        """The shop's day of a mapped row, as PostgreSQL says it."""
        return self.day_of(self.table.time)

    def day_of(self, column: str) -> str:
        """The shop's day of a date or a moment of a mapped row."""
        return self._as_day(f"mapped.{quote(column)}", self.types[column])

    def bounds(self, span: Span) -> tuple[str, str]:
        """The span as two literals of the type of the time."""
        if self.has_dates:
            return f"date '{span.since}'", f"date '{span.until}'"
        if self.time_is_date:  # a day counts when it is over
            return self.instants(Span.of_days(span.since, span.until, self.zone))
        return self.instants(span)

    def instants(self, span: Span) -> tuple[str, str]:
        """The span as two literals."""
        since, until = midnight(span.since, self.zone), span.until_at
        return f"timestamptz '{since.isoformat()}'", f"timestamptz '{until.isoformat()}'"

    def unusable(self, time: str) -> str:
        """The condition that a time dates nothing."""
        return f"({time} is null or {time} < {self.first} or {time} >= {self.last})"

    def columns(self, undated: bool = False) -> str:
        """The columns as they are sent; of rows without a usable time, the time is null, and what it was beside it."""
        return ", ".join([*self._contract_columns(undated), *self._attributes()])

    def _contract_columns(self, undated: bool) -> Iterator[str]:
        for column in self.found:
            name, kind = quote(column.name), self.types[column.name]
            value = f"mapped.{name}"
            if column.name == self.table.time:
                sent = f"null::{kind}" if undated else value
                yield f"{self._as_day(sent, kind) if column.type == 'date' else sent} as {name}"
                if undated:
                    yield f"{value}::text as {quote(MISFIT + column.name)}"
            elif column.type in {"date", "timestamptz"}:
                yield from self._checked_date(column, kind)
            elif kind in SENT_AS_TEXT or (column.type == "varchar" and kind not in PLAIN_TEXT):
                yield f"{self.text_of(column.name)} as {name}"
            else:
                yield f"{value} as {name}"

    def text_of(self, column: str) -> str:
        """A column of a mapped row as text. An id of which the shop's type says that its case means nothing is in small letters."""
        text = f"mapped.{quote(column)}::text"
        return f'lower({text}) collate "default"' if column in IDS and self.types[column] == "citext" else text

    def _checked_date(self, column: SourceColumn, kind: str) -> Iterator[str]:
        name = quote(column.name)
        value = f"mapped.{name}"
        is_usable = between(value, f"'{FIRST_DAY}'", f"'{LAST_DAY}'")
        sent = f"case when {is_usable} then {value} end"
        yield f"{self._as_day(sent, kind) if column.type == 'date' else sent} as {name}"
        means_null = f" and {value} <> '{ALWAYS[column.name]}'" if column.name in ALWAYS else ""
        yield f"case when not ({is_usable}){means_null} then {value}::text end as {quote(MISFIT + column.name)}"

    def _as_day(self, value: str, kind: str) -> str:
        return f"({value} at time zone '{self.zone.key}')::date" if kind == "timestamptz" else value

    def _attributes(self) -> Iterator[str]:
        for number, name in enumerate(self.own):
            yield f"mapped.{quote(name)}::text as {quote(f'{ATTRIBUTE}{number}')}"


def names_as_written(table: SourceTable, found: Collection[str]) -> dict[str, str]:
    """The columns of the contract that a shop has in another case, with how it writes them: SQL without quotes makes FN fn."""
    lower = {name.lower(): name for name in sorted(found)}
    lacking = (column.name for column in table.selected if column.name not in found)
    return {name: lower[name.lower()] for name in lacking if name.lower() in lower}


def in_the_contracts_case(table: SourceTable, select: str, types: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A SELECT and its types with the columns of the contract in the contract's case."""
    contract = {column.name: column for column in table.selected}
    written = {
        name: new
        for new, name in names_as_written(table, types).items()
        if not contract[new].optional or contract[new].accepts(types[name])  # else it is one of the shop's own
    }
    if not written:
        return select, dict(types)
    columns = ", ".join(f"mapped.{quote(name)} as {quote(written.get(name, name))}" for name in types)
    renamed = f"select {columns} from (\n{select}\n) as mapped"
    return renamed, {written.get(name, name): kind for name, kind in types.items()}


def between(value: str, since: str, until: str) -> str:
    """The condition that a value is in a half-open range."""
    return f"{value} >= {since} and {value} < {until}"
