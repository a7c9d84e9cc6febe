"""One repeatable-read, read-only transaction on the shop's database, streamed as Arrow through ADBC."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import adbc_driver_postgresql.dbapi as postgresql
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection
from adbc_driver_manager.dbapi import Error as DatabaseError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shopmill.connection_string import conninfo
from shopmill.engine.identifiers import quote
from shopmill.errors import (
    InvalidInputError,
    MissingTableError,
    SchemaDriftError,
    ShopmillError,
    SourceUnavailableError,
)
from shopmill.personal import shape_of
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceTable, fix_of
from shopmill.source.items import DatedSelection
from shopmill.source.mapping import Mapping, selection_of
from shopmill.source.patience import SilentSourceError, patiently
from shopmill.source.platforms import TABLES_AND_COLUMNS, difference
from shopmill.source.pseudonyms import session_settings
from shopmill.source.selection import IDS, PLAIN_TEXT, Selection, in_the_contracts_case, names_as_written
from shopmill.source.values import BLANKS
from shopmill.vocabulary import ALIKE, DOTTED_I

T = TypeVar("T")
UNDEFINED = {"42703": "a column", "42P01": "the table"}
INSUFFICIENT_PRIVILEGE = "42501"
CONNECTION: dict[str, str | int] = {
    "application_name": "shopmill",
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What libpq does on our side: nothing that a pooler between us and the server would refuse."""
TIMEOUTS = {
    "57014": "Let the source role take longer (alter role … set statement_timeout = 0), or run again when it is idle.",
    "55P03": "Another session holds a lock on the table: run again when it has ended.",
    "25P03": "Raise idle_in_transaction_session_timeout for the source role.",
    "25P04": "Raise transaction_timeout for the source role.",
    "40001": "A standby ends reads that its replay waits for: run again, and if it ends again set hot_standby_feedback = on "
    "or raise max_standby_streaming_delay there, or read the primary.",
    "55000": "If it is a materialized view, fill it (refresh materialized view), then run again.",
    "57P01": "The server was stopped, or an administrator ended the session: run again.",
    "53300": "It has no connection left: raise max_connections, or run fewer tasks at once.",
}
"""What a person can do about errors of the server that have nothing to do with the SELECT."""
CONFLICT = "conflict with recovery"
IN_MID_STREAM = {
    "statement timeout": "57014",
    "idle-in-transaction timeout": "25P03",
    "transaction timeout": "25P04",
    CONFLICT: "40001",
    "administrator command": "57P01",
    "invalid byte sequence": "22021",
    "has no equivalent in encoding": "22P05",
    "division by zero": "22012",
    "invalid input syntax": "22P02",
    "out of range": "22003",
    "overflow": "22003",
    "Unicode escape sequence": "22P05",
    "Unicode surrogate": "22P05",
    "cannot cast": "22023",
    "cannot extract": "22023",
    "value too long": "22001",
    "more than one row returned by a subquery": "21000",
    "permission denied": "42501",
}
THE_DATABASE = "the database"
"""What an error is about that comes before any table is read."""
WRONG_VALUES = ("22", "23")
"""Classes of SQLSTATE whose messages quote values, which may be of a person: their shape says as much."""
QUOTED = re.compile('".*"')
WRONG_BYTES = {"22021", "22P05"}
WRONG_SQL = ("0A", "21", "22", "42", "P0")
"""Classes of SQLSTATE: the SELECT is wrong, or cannot be computed from the values there are."""


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

USUAL_COLLATIONS = {'"default"', '"C"', "C", None}
"""None is for a text of two tables that differ in it: it cannot be compared at all."""

QUOTES_ALL = "select 1 where current_setting('quote_all_identifiers') = 'on'"
AS_USUAL = "-c quote_all_identifiers=off"
"""The driver asks for the names of types as it connects, and knows none of them in quotes."""

CLIENT_ENCODING = "case current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end"
"""Bytes of a database that does not know its encoding come as they are, and are looked at here, column by column."""


class UnreadableTextError(InvalidInputError):
    """Text of some column cannot be brought into UTF-8."""


class Source:
    """The shop as it was at one moment: all reads see the same snapshot and cannot write."""

    def __init__(self, connection: Connection, mapping: Mapping, settings: Settings):
        self._connection = connection
        self.mapping, self.settings = mapping, settings
        self.is_left_behind = False

    def begin(self) -> None:
        """Begins the transaction: what it sees is of the moment of its first query.

        All that is set ends with it: behind a pooler the next transaction may be another client's.
        """
        values = {
            "timezone": self.settings.time_zone,
            "datestyle": "ISO, YMD",
            "intervalstyle": "postgres",
            "bytea_output": "hex",
            "xmlbinary": "base64",
            "extra_float_digits": "1",
            "quote_all_identifiers": "off",
            "standard_conforming_strings": "on",
            "transform_null_equals": "off",
            "lock_timeout": f"{self.settings.source_patience_seconds * 800:.0f}",
            "row_security": "on" if self.settings.row_security == "allow" else "off",
            "shopmill.time_zone": self.settings.time_zone,
            "shopmill.currency": self.settings.currency,
            **session_settings(self.settings.pseudonym_key),
        }
        sets = ", ".join(f"set_config({literal(name)}, {literal(value)}, true)" for name, value in values.items())
        with explained(THE_DATABASE):
            self._ask("set transaction isolation level repeatable read, read only")
            self._ask(f"select {sets}, set_config('client_encoding', {CLIENT_ENCODING}, true)")

    @cached_property
    def encoding(self) -> str:
        """What text of the shop is in: UTF8, or SQL_ASCII where the database does not know."""
        if self.settings.source_encoding:
            return self.settings.source_encoding
        return "SQL_ASCII" if self.server_encoding == "SQL_ASCII" else "UTF8"

    @cached_property
    def server_encoding(self) -> str:
        """What the database keeps text in, as PostgreSQL names it."""
        return str(self.value("select current_setting('server_encoding')"))

    def trimmed(self, text: str) -> str:
        """The SQL of a text without the blanks around it, which are cut off as it is read.

        Outside of UTF8 these are ASCII's alone: a database knows only the characters of its own encoding.
        """
        known = BLANKS if self.server_encoding == "UTF8" else "".join(filter(str.isascii, BLANKS))
        return f"btrim({_usual(text)}, {literal(known)})"

    def plain(self, word: str) -> str:
        """The SQL of a word in its plain spelling. Of other encodings than UTF8, PostgreSQL knows no normal form."""
        if self.server_encoding != "UTF8":
            return word
        letters = "".join(map(chr, ALIKE)), "".join(map(str, ALIKE.values()))
        alike = f"translate(normalize({_usual(f'{word}::text')}, NFKC), {literal(letters[0])}, {literal(letters[1])})"
        return f"replace({alike}, {literal(DOTTED_I)}, 'i')"

    def value(self, query: str) -> object:
        """The one value of a small query about the database itself."""
        with explained(THE_DATABASE):
            return (self._ask(query)[1] or [(None,)])[0][0]

    def answers(self, query: str) -> list[tuple[object, ...]]:
        """All rows of a small query about the database itself."""
        with explained(THE_DATABASE):
            return self._ask(query)[1]

    @contextmanager
    def stream(self, table: SourceTable, query: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of `query` as Arrow batches, as PostgreSQL sends them: not held in memory."""
        cursor = self._connection.cursor()
        try:
            with explained(table.name):
                self._wait(lambda: cursor.execute(query))
                yield cursor.fetch_record_batch()
        except SilentSourceError:
            self.is_left_behind = True
            raise
        finally:
            if not self.is_left_behind:
                cursor.close()

    def close(self) -> None:
        """Ends the transaction and the connection."""
        self._connection.close()

    def rows(self, table: SourceTable, query: str) -> list[tuple[object, ...]]:
        """All rows of a small query."""
        with explained(table.name):
            return self._ask(query)[1]

    def plan(self, table: SourceTable, query: str) -> str:
        """How PostgreSQL would run a query if it used the indexes that there are, however small the table is."""
        with explained(table.name):
            self._ask("select set_config('enable_seqscan', 'off', true)")
            return "\n".join(str(row[0]) for row in self._ask(f"explain (costs off) {query}", copy=False)[1])

    def _ask(self, query: str, copy: bool = True) -> tuple[list[str], list[tuple[object, ...]]]:
        """The names and the rows of a small query."""

        def ask() -> tuple[list[str], list[tuple[object, ...]]]:
            with self._connection.cursor() as cursor:
                if not copy:
                    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                cursor.execute(query)
                names = [str(field[0]) for field in cursor.description or ()]
                return names, cursor.fetchall() if names else []

        return self._wait(ask)

    def _wait(self, work: Callable[[], T]) -> T:
        try:
            return patiently(work, self.settings.source_patience_seconds, self.close)
        except SilentSourceError:
            self.is_left_behind = True
            raise

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
            return self.mapping.select(table.name)
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

    def confirm(self, table: SourceTable) -> None:
        """That the transaction still stands: a stream that broke off anywhere has ended it, and its rows do not count."""
        self.rows(table, "select 1")

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
            self._connection.rollback()
            self.begin()
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


@contextmanager
def open_source(settings: Settings, mapping: Mapping) -> Iterator[Source]:
    """Connects and begins the snapshot; everything read inside the block is of one moment."""
    dsn = settings.source_dsn.get_secret_value()
    if not dsn:
        raise InvalidInputError("No shop is set: give SHOPMILL_SOURCE_DSN (postgresql://reader:…@host:5432/shop).")
    address = conninfo(dsn, "SHOPMILL_SOURCE_DSN", **CONNECTION)
    source = Source(_connected(address, settings.source_patience_seconds), mapping, settings)
    try:
        source.begin()
        yield source
    finally:
        if not source.is_left_behind:
            source.close()


def _connected(address: str, patience: float) -> Connection:
    """A connection whose driver knows the types of the database."""
    connection = _answering(address, patience, "Check SHOPMILL_SOURCE_DSN and the server.")
    if not patiently(lambda: _quotes_all(connection), patience, connection.close):
        return connection
    connection.close()
    options = " ".join(filter(None, [conninfo_to_dict(address).get("options"), AS_USUAL]))  # type: ignore[list-item]
    way_out = "Let the source role write names as usual: alter role … set quote_all_identifiers = off."
    return _answering(make_conninfo(address, options=options), patience, way_out)


def _answering(address: str, patience: float, way_out: str) -> Connection:
    try:
        connection: Connection = patiently(lambda: postgresql.connect(address), patience)
    except DatabaseError as error:
        reason = _first_line(error)
        told = TIMEOUTS.get(_state_of(reason, ""), way_out)
        raise SourceUnavailableError(f"The shop's database does not answer: {reason}. {told}") from None
    return connection


def _quotes_all(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(QUOTES_ALL)
        found = cursor.fetchall()
    connection.rollback()
    return bool(found)


@contextmanager
def explained(table: str) -> Iterator[None]:
    """Database errors inside the block as ours."""
    try:
        yield
    except DatabaseError as error:
        raise explain(table, error) from None


def explain(table: str, error: Exception) -> ShopmillError:
    """A database error as ours, with the table that it concerns."""
    reason = _first_line(error)
    state = _state_of(reason, getattr(error, "sqlstate", None) or "")
    if state.startswith(WRONG_VALUES) and table != THE_DATABASE:
        reason = QUOTED.sub(lambda found: f"a value like {shape_of(found[0])}", reason)
    if state in UNDEFINED:
        return SchemaDriftError(
            f"{table}: {UNDEFINED[state]} that the mapping reads is missing: {reason}. Change {table}.sql of the mapping."
        )
    if state in WRONG_BYTES and "Unicode" not in reason:
        return UnreadableTextError(f"{table} has text that is not in the encoding of its database: {reason}.")
    if state.startswith(WRONG_SQL):
        return InvalidInputError(_wrong(table, reason, state))
    return SourceUnavailableError(_ended(table, reason, state))


def _ended(table: str, reason: str, state: str) -> str:
    if state in TIMEOUTS:
        return f"Reading {table} was ended by the shop's database: {reason}. {TIMEOUTS[state]}"
    return (
        f"Reading {table} failed: {reason}. Run again; if it fails again, change what {table}.sql of the mapping makes of its "
        "values, or look into the log of the shop's database server."
    )


def _state_of(reason: str, state: str) -> str:
    """The SQLSTATE. An error in the middle of a stream comes as words alone, and one of a standby with the state of others."""
    if state and CONFLICT not in reason:
        return state
    return next((state for words, state in IN_MID_STREAM.items() if words in reason), "")


def _wrong(table: str, reason: str, state: str) -> str:
    if state == INSUFFICIENT_PRIVILEGE:
        return _not_allowed(table, reason)
    if state in WRONG_BYTES:
        return _no_text(table, reason)
    if table == THE_DATABASE:
        return f"The shop's database cannot be read with these settings: {reason}. Check SHOPMILL_TIME_ZONE."
    return f"{table} cannot be read: {reason}. Change {table}.sql of the mapping."


def _no_text(table: str, reason: str) -> str:
    return (
        f"{table} cannot be read: {reason}, which JSON may hold and no text can. In {table}.sql of the mapping, leave it out: "
        r"regexp_replace(column::text, '\\u(0000|d[89a-f]..)', '', 'gi')::json ->> 'key'."
    )


def _not_allowed(table: str, reason: str) -> str:
    if "row-level security" in reason:
        return (
            f"{table} cannot be read whole: {reason}. Let the source role see all rows (alter role … bypassrls), or set "
            "SHOPMILL_ROW_SECURITY=allow where the policy is what makes this shop."
        )
    if "for schema" in reason:
        return f"{table} cannot be read: {reason}. Grant the source role usage on that schema."
    return f"{table} cannot be read: {reason}. Grant the source role SELECT on it."


def _first_line(error: Exception) -> str:
    """What the server said, where it said something: the driver may repeat the whole query before it."""
    text = str(error)
    said = re.search("(?:ERROR|FATAL):  (.+)", text)
    lines = [said[1]] if said else [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].strip().rstrip(".") if lines else type(error).__name__


def _usual(text: str) -> str:
    """The SQL of a text in the collation of the database: in others it may not be searched, or be equal to another one."""
    return f'({text}) collate "default"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
