"""One repeatable-read, read-only transaction on the shop's database, streamed as Arrow through ADBC."""

from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_postgresql.dbapi as postgresql
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection
from adbc_driver_manager.dbapi import Error as DatabaseError

from shopmill.connection_string import conninfo
from shopmill.engine.identifiers import quote
from shopmill.errors import (
    InvalidInputError,
    MissingTableError,
    SchemaDriftError,
    ShopmillError,
    SourceUnavailableError,
)
from shopmill.source.contract import ACCEPTED, MEND, SourceTable
from shopmill.source.mapping import Mapping

# pg_typeof() writes the SQL standard's names; the contract uses PostgreSQL's short ones.
SHORT = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "character varying": "varchar",
    "character": "bpchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
UNDEFINED = {"42703": ("a column", SchemaDriftError), "42P01": ("the table", MissingTableError)}
INSUFFICIENT_PRIVILEGE = "42501"
WRONG_SQL = ("22", "42")
"""Classes of SQLSTATE: the SELECT is wrong, or cannot be computed from the values there are."""


class Source:
    """The shop as it was at one moment: all reads see the same snapshot and cannot write."""

    def __init__(self, connection: Connection, mapping: Mapping):
        self._connection = connection
        self.mapping = mapping

    def begin(self) -> None:
        """Begins the transaction: what it sees is of the moment of its first query."""
        with self._connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute("set local time zone 'UTC'")

    @contextmanager
    def stream(self, table: SourceTable, query: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of `query` as Arrow batches, as PostgreSQL sends them: not held in memory."""
        with self._connection.cursor() as cursor, _explained(table.name):
            cursor.execute(query)
            yield cursor.fetch_record_batch()

    def rows(self, table: SourceTable, query: str) -> list[tuple[object, ...]]:
        """All rows of a small query."""
        with self._connection.cursor() as cursor, _explained(table.name):
            cursor.execute(query)
            return cursor.fetchall()

    def plan(self, table: SourceTable, query: str) -> str:
        """How PostgreSQL would run a query if it used the indexes that there are, however small the table is."""
        with self._connection.cursor() as cursor, _explained(table.name):
            cursor.execute("set local enable_seqscan = off")
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
            cursor.execute(f"explain (costs off) {query}")
            return "\n".join(str(row[0]) for row in cursor.fetchall())

    def has(self, table: SourceTable) -> bool:
        """Whether the mapping selects the table and the shop has it. To be asked first: a no begins a new snapshot."""
        if table.name not in self.mapping.selects:
            return False
        try:
            self.types(table)
        except MissingTableError:
            self._connection.rollback()
            self.begin()
            return False
        return True

    def check(self, table: SourceTable) -> dict[str, str]:
        """The mapped table's PostgreSQL types; SchemaDriftError unless all of the contract is there and accepted."""
        found = self.types(table)
        for column in table.columns:
            if column.name not in found:
                if column.optional:
                    continue
                raise SchemaDriftError(
                    f"{table.name}.{column.name} is missing: expected {column.type}, found no such column. "
                    f"Add it to {self.mapping.folder / table.name}.sql."
                )
            if found[column.name] not in ACCEPTED[column.type]:
                raise SchemaDriftError(
                    f"{table.name}.{column.name} has the wrong type: expected {column.type}, found {found[column.name]}. "
                    f"In {self.mapping.folder / table.name}.sql, {MEND[column.type]}."
                )
        return found

    def confirm(self, table: SourceTable) -> None:
        """That the transaction still stands: a stream that broke off anywhere has ended it, and its rows do not count."""
        self.rows(table, "select 1")

    def types(self, table: SourceTable) -> dict[str, str]:
        """PostgreSQL types of the mapped table by column, found without reading a row."""
        select = self.mapping.select(table.name)
        with self._connection.cursor() as cursor, _explained(table.name):
            cursor.execute(f"select * from ({select}) as mapped limit 0")
            names = [field[0] for field in cursor.description or ()]
            typeof = ", ".join(f"pg_typeof(mapped.{quote(name)})::text" for name in names)
            cursor.execute(f"select {typeof} from (select) as one left join ({select}) as mapped on false")
            types = cursor.fetchone() or ()
        return {name: SHORT.get(str(kind), str(kind)) for name, kind in zip(names, types, strict=True)}


@contextmanager
def open_source(dsn: str, mapping: Mapping) -> Iterator[Source]:
    """Connects and begins the snapshot; everything read inside the block is of one moment."""
    if not dsn:
        raise InvalidInputError("No shop is set: give SHOPMILL_SOURCE_DSN (postgresql://reader:…@host:5432/shop).")
    options: dict[str, str | int] = {"connect_timeout": 10, "keepalives_idle": 30, "application_name": "shopmill"}
    try:
        connection = postgresql.connect(conninfo(dsn, "SHOPMILL_SOURCE_DSN", **options))
    except DatabaseError as error:
        raise SourceUnavailableError(
            f"The shop's database does not answer: {_first_line(error)}. Check SHOPMILL_SOURCE_DSN and the server."
        ) from None
    with connection:
        source = Source(connection, mapping)
        source.begin()
        yield source


@contextmanager
def _explained(table: str) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise explain(table, error) from None


def explain(table: str, error: Exception) -> ShopmillError:
    """A database error as ours, with the table that it concerns."""
    reason, state = _first_line(error), getattr(error, "sqlstate", None)
    if state in UNDEFINED:
        what, kind = UNDEFINED[state]
        return kind(f"{table}: {what} that the mapping reads is missing: {reason}. Change {table}.sql of the mapping.")
    if state == INSUFFICIENT_PRIVILEGE:
        return InvalidInputError(f"{table} cannot be read: {reason}. Grant the source role SELECT on it.")
    if str(state).startswith(WRONG_SQL):
        return InvalidInputError(f"{table} cannot be read: {reason}. Change {table}.sql of the mapping.")
    return SourceUnavailableError(f"Reading {table} failed: {reason}.")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
