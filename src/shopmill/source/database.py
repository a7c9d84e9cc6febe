"""The shop's tables as they are at one moment: which columns they have, of what types, and the SELECT that reads them."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from adbc_driver_manager.dbapi import Connection

from shopmill.engine.identifiers import literal, quote
from shopmill.errors import InvalidInputError, MissingTableError, SchemaDriftError, SourceUnavailableError
from shopmill.settings import Settings
from shopmill.source.connecting import connect
from shopmill.source.contract import TABLES, SourceTable, fix_of
from shopmill.source.database_errors import THE_DATABASE, explained
from shopmill.source.items import DatedSelection
from shopmill.source.mapping import Mapping, selection_of
from shopmill.source.platforms import TABLES_AND_COLUMNS, difference
from shopmill.source.selection import IDS, PLAIN_TEXT, Selection, in_the_contracts_case, names_as_written
from shopmill.source.session import Session

T = TypeVar("T")
TYPES = """
with recursive based as (
  select oid, oid as base from pg_type where oid in ({oids})
  union all
  select based.oid, pg_type.typbasetype from based join pg_type on pg_type.oid = based.base where pg_type.typtype = 'd'
)
select based.oid::int8, case pg_type.typtype when 'e' then 'enum' else pg_type.typname::text end
from based join pg_type on pg_type.oid = based.base where pg_type.typtype <> 'd'
"""
"""The name of each type: of a domain that of what it is made of, and `enum` for every enumeration."""
COLUMNS = """
select attname::text, has_column_privilege(attrelid, attnum, 'select')
from pg_attribute where attrelid = to_regclass({table}) and attnum > 0 and not attisdropped
"""
"""The columns of a table, and whether the role may read them."""

ELSEWHERE = """
select relnamespace::regnamespace::text || '.' || quote_ident(relname) from pg_class
where relname = {table} and relkind in ('r', 'p', 'v', 'm', 'f') and not pg_table_is_visible(oid)
  and relnamespace::regnamespace::text not like 'pg~_%' escape '~' and has_schema_privilege(relnamespace, 'usage')
order by 1 limit 3
"""
"""The tables of a name in schemas that are not searched."""

REPLACED = """
select coalesce(c.oid, locked.relation)::regclass::text
from pg_locks as locked left join pg_class as c on c.oid = locked.relation
where locked.pid = pg_backend_pid() and locked.locktype = 'relation' and locked.relation >= 16384
  and (
    (c.oid is null and pg_get_indexdef(locked.relation) is null)
    or (c.relkind in ('r', 'm') and c.relfilenode is distinct from pg_relation_filenode(c.oid))
  )
order by 1
"""
"""The tables of this transaction whose rows are in another file now than in its snapshot, or which are not in that at all.

To the snapshot such a table is empty: PostgreSQL keeps no rows of before a TRUNCATE, a rewrite or a swap.
"""
ATTEMPTS = 5
TIME_ZONE = re.compile(r"(?i)current_setting\s*\(\s*'shopmill\.time_zone'\s*(,\s*true\s*)?\)")
"""How a SELECT asks for the shop's zone. It gets the name: what asks a setting is never served by an index."""

USUAL_COLLATIONS = {'"default"', '"C"', "C", None}
"""None is for a text of two tables that differ in it: it cannot be compared at all."""


class Source(Session):
    """The shop as it was at one moment, read as a mapping says."""

    def __init__(self, connection: Connection, mapping: Mapping, settings: Settings):
        super().__init__(connection, settings)
        self.mapping = mapping

    def holding(self, look: Callable[[], T]) -> T:
        """What `look` finds, as of a moment from which on nobody can replace the tables that it looked at.

        A look locks them against that. Whoever replaced one between the beginning of the transaction and the lock has made
        it look empty: then all begins again.
        """
        for _ in range(ATTEMPTS):
            found = look()
            if not (replaced := self.replaced()):
                return found
            self.again()
        raise replaced_while_read(replaced)

    def replaced(self) -> list[str]:
        """The tables of this transaction that were emptied, rewritten or swapped since it began."""
        return [str(name) for (name,) in self.answers(REPLACED)]

    def selection(self, table: SourceTable) -> Selection:
        """The table as the shop has it; MissingTableError where it has none, SchemaDriftError where it is another."""
        found = self.selected(table)
        self._refuse_what_is_missing(found)
        return found

    def selected(self, table: SourceTable) -> Selection:
        """The table as the shop has it, with whatever columns; MissingTableError where it has none."""
        select = self._select(table)
        select, types = in_the_contracts_case(table, select, self._types_or_platform(table, select))
        zone = self.settings.zone
        if table.time_of is None:
            return Selection(table, select, types, zone)
        other, key = table.time_of
        return DatedSelection(table, select, types, zone, self.selection(TABLES[other]), key)

    def _select(self, table: SourceTable) -> str:
        """The SELECT of the mapping; a canonical one of the columns that the table has and the role may read."""
        select = self.mapping.selects.get(table.name)
        if select is None or not select.is_canonical:
            return TIME_ZONE.sub(literal(self.settings.time_zone), self.mapping.select(table.name))
        allowed = {
            str(name): bool(may) for name, may in self.rows(table, COLUMNS.format(table=literal(quote(table.name))))
        }
        self._refuse_what_is_hidden(table, allowed)
        columns = {name for name, may in allowed.items() if may}
        written = names_as_written(table, columns)
        there = columns | written.keys()
        required = {column.name for column in table.selected if not column.optional}
        if not there and self.value(f"select to_regclass({literal(quote(table.name))}) is null"):
            raise MissingTableError(
                f"The shop has no {table.name}: {self.mapping.whereabouts(table.name)}{self._elsewhere(table)}."
            )
        if not required <= there and not self.mapping.is_canonical:
            lacking = ", ".join(sorted(required - there))
            raise MissingTableError(
                f"The shop has no {table.name}: {self.mapping.whereabouts(table.name)}, and the table of that name lacks {lacking}."
            )
        found = (c.name for c in table.selected if c.name in there | required)
        return selection_of(table, (written.get(name, name) for name in found))

    def _elsewhere(self, table: SourceTable) -> str:
        """Where the database has a table of that name after all: in a schema that is not searched."""
        found = [str(name) for (name,) in self.answers(ELSEWHERE.format(table=literal(table.name)))]
        if not found:
            return ""
        return (
            f", but {', '.join(found)}: add the schema to the search_path of the source role "
            f"(alter role … set search_path), or select from it in {table.name}.sql of a mapping"
        )

    def _refuse_what_is_hidden(self, table: SourceTable, allowed: dict[str, bool]) -> None:
        """A column that is there but not for this role would be taken for one that the shop has not: other numbers, silently."""
        written = names_as_written(table, allowed)
        names = (written.get(column.name, column.name) for column in table.selected)
        hidden = [name for name in names if allowed.get(name) is False]
        if hidden and any(allowed.values()):
            raise InvalidInputError(
                f"{table.name}.{hidden[0]} is there, but the source role may not read it. Grant the source role SELECT on "
                f"{table.name}, or leave {', '.join(hidden)} out: list the columns that count in {table.name}.sql of a mapping."
            )

    def _refuse_what_is_missing(self, found: Selection) -> None:
        table, place = found.table, self.mapping.place(found.table.name)
        for column in table.selected:
            kind = found.types.get(column.name)
            if kind is None and not column.optional:
                raise SchemaDriftError(
                    f"{table.name}.{column.name} is missing: expected {column.type}, found no such column. Add it to {place}."
                )
            if kind and not column.accepts(kind):
                raise SchemaDriftError(
                    f"{table.name}.{column.name} has the wrong type: expected {column.type}, found {kind}. "
                    f"In {place}, {fix_of(column.type, kind)}."
                )
        for group in table.one_of:
            if not found.types.keys() & set(group):
                raise SchemaDriftError(f"{table.name} has none of {', '.join(group)}: add at least one to {place}.")

    def types(self, table: SourceTable, select: str) -> dict[str, str]:
        """PostgreSQL types of the mapped table by column, found without reading a row."""
        with explained(table.name):
            names, _ = self._ask(f"select * from (\n{select}\n) as mapped limit 0")
            self._refuse_twice(table, names)
            found = self._of_no_row(select, [f"pg_typeof(mapped.{quote(name)})::oid::int8" for name in names])
            oids = [str(oid) for oid in found]
            named = self._ask(TYPES.format(oids=", ".join(oids) or "0"))[1]
            types = {str(oid): re.sub("^_(.*)", r"\1[]", str(name)) for oid, name in named}
            found_types = {name: types[oid] for name, oid in zip(names, oids, strict=True)}
            return found_types | dict.fromkeys(self._blind_to_case(select, found_types), "citext")

    def _blind_to_case(self, select: str, types: dict[str, str]) -> Iterator[str]:
        """The ids in a collation that holds `A` and `a` for the same: they are what citext is."""
        ids = [name for name, kind in types.items() if name in IDS and kind in PLAIN_TEXT]
        collations = self._of_no_row(select, [f"pg_collation_for(mapped.{quote(name)})" for name in ids])
        of_their_own = [name for name, found in zip(ids, collations, strict=True) if found not in USUAL_COLLATIONS]
        tests = [f"coalesce(mapped.{quote(name)}, 'a') = 'A'" for name in of_their_own]
        yield from (name for name, is_same in zip(of_their_own, self._of_no_row(select, tests), strict=True) if is_same)

    def _of_no_row(self, select: str, expressions: list[str]) -> Sequence[object]:
        """What some expressions of columns are where these are null."""
        if not expressions:
            return ()
        asked = ", ".join(expressions)
        return self._ask(f"select {asked} from (select) as one left join (\n{select}\n) as mapped on false")[1][0]

    def _types_or_platform(self, table: SourceTable, select: str) -> dict[str, str]:
        """The types; where a preset reads what is not there, the error names the platform, its version, the table and the column."""
        try:
            return self.types(table, select)
        except SchemaDriftError as error:
            self.again()
            file = self.mapping.selects[table.name].path
            raise SchemaDriftError(difference(file, select, self.tables(), self.value) or str(error)) from None

    def tables(self) -> dict[str, set[str]]:
        """The tables that a SELECT finds without a schema, with their columns, whether or not the role may read them."""
        found: dict[str, set[str]] = {}
        with explained(THE_DATABASE):
            for table, column in self._ask(TABLES_AND_COLUMNS)[1]:
                found.setdefault(str(table), set()).add(str(column))
        return found

    def _refuse_twice(self, table: SourceTable, names: list[str]) -> None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInputError(
                f"{table.name}.{twice[0]} is selected twice: leave one of them out of {self.mapping.place(table.name)}."
            )


def replaced_while_read(tables: list[str]) -> SourceUnavailableError:
    """The error for tables that another session empties or swaps while they are read."""
    return SourceUnavailableError(
        f"{', '.join(tables)} was emptied, rewritten or replaced while it is read, and looks empty. Run again when whatever "
        "loads it has ended."
    )


@contextmanager
def open_source(settings: Settings, mapping: Mapping) -> Iterator[Source]:
    """Connects and begins the snapshot; everything read inside the block is of one moment."""
    source = Source(connect(settings), mapping, settings)
    try:
        source.begin()
        yield source
    finally:
        if not source.is_left_behind:
            source.close()
