"""Examines a shop's database against the contract, and says how to mend what is wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from shopmill.declaration import Dataset
from shopmill.engine.identifiers import quote
from shopmill.errors import ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import ACCEPTED, FIX, TABLES, SourceTable
from shopmill.source.database import Source, open_source
from shopmill.source.mapping import Mapping, load_mapping

Level = Literal["ok", "warn", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and how to mend it when it is not well."""

    subject: str
    level: Level
    text: str
    mend: str = ""
    suffers: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


def examine(settings: Settings, datasets: Iterable[Dataset]) -> Iterator[Finding]:
    """All findings, the connection first; without one there are no others.

    `datasets` are those that may suffer from what is wrong.
    """
    readers = {d.name: {needed.table for needed in d.inputs} for d in datasets}
    mapping = load_mapping(settings)
    try:
        with _open(settings, mapping) as source:
            yield Finding("connection", "ok", "the shop's database answers")
            yield _may_write(source)
    except ShopmillError as error:
        yield Finding("connection", "error", str(error), "", tuple(readers))
        return
    for table in TABLES.values():
        suffers = tuple(name for name, tables in readers.items() if table.name in tables)
        yield from _table(settings, mapping, table, suffers)


def _open(settings: Settings, mapping: Mapping) -> Any:
    return open_source(settings, mapping)


def _may_write(source: Source) -> Finding:
    query = (
        "select count(*) from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text not in "
        "('pg_catalog', 'information_schema') and has_table_privilege(oid, 'insert, update, delete, truncate')"
    )
    writable = source.rows(next(iter(TABLES.values())), query)[0][0]
    if writable:
        return Finding(
            "role",
            "warn",
            f"the source role may change {writable} tables; shopmill only ever reads",
            "create a role with SELECT only: create role shopmill_reader login; grant select on all tables in schema public to it",
        )
    return Finding("role", "ok", "the source role cannot change any table")


def _table(settings: Settings, mapping: Mapping, table: SourceTable, suffers: tuple[str, ...]) -> Iterator[Finding]:
    try:
        # A table of its own transaction: an error in one ends that transaction only.
        with _open(settings, mapping) as source:
            yield from _columns(source, table, suffers)
            yield _content(source, table, suffers)
            yield from _index(source, table, suffers)
    except ShopmillError as error:
        level: Level = "warn" if table.optional else "error"
        mend = "it is optional: leave it out, or map it" if table.optional else ""
        yield Finding(table.name, level, str(error), mend, suffers)


def _columns(source: Source, table: SourceTable, suffers: tuple[str, ...]) -> Iterator[Finding]:
    found = source.selected(table).types
    for column in table.selected:
        subject, kind = f"{table.name}.{column.name}", found.get(column.name)
        if kind is None:
            if not column.optional:
                yield Finding(subject, "error", "missing", f"select it in {table.name}.sql of the mapping", suffers)
        elif kind not in ACCEPTED[column.type]:
            yield Finding(subject, "error", f"is {kind}, expected {column.type}", FIX[column.type], suffers)


def _content(source: Source, table: SourceTable, suffers: tuple[str, ...]) -> Finding:
    select = source.selected(table).select
    time = quote(table.time) if table.time and not table.time_of else None
    extent = f", min({time})::text, max({time})::text, count(*) filter (where {time} is null)" if time else ""
    row = source.rows(table, f"select count(*){extent} from (\n{select}\n) as mapped")[0]
    if not row[0]:
        return Finding(table.name, "warn", "is empty", "fill it, or expect no rows from it", suffers)
    if not time:
        return Finding(table.name, "ok", f"{row[0]:,} rows")
    undated = f", {row[3]:,} without {table.time}" if row[3] else ""
    return Finding(table.name, "warn" if undated else "ok", f"{row[0]:,} rows from {row[1]} to {row[2]}{undated}")


def _index(source: Source, table: SourceTable, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Whether one day can be read without reading the whole table."""
    if not table.time or table.time_of:
        return
    query = f"select * from (\n{source.selected(table).select}\n) as mapped where {quote(table.time)} < '0001-01-02'"
    if "Index Cond" not in source.plan(table, query):
        yield Finding(
            f"{table.name}.{table.time}",
            "warn",
            "has no index: every run reads the whole table to find its new days",
            f"create index on the table behind {table.name} ({table.time})",
            suffers,
        )
