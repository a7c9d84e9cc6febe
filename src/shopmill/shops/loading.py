"""Fills a PostgreSQL with the canonical shop's tables out of DuckDB, in two transactions.

What the shop sells is there for others to read before the long tables are loaded. A load that is killed leaves nothing half
full: the next one begins again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg
import pyarrow as pa

from shopmill.errors import InvalidInputError, ShopmillError

CATALOGUE = ("customers", "articles")
"""The tables of the first transaction: short ones, of which a dataset is made all the same."""
SALES = ("transactions", "orders", "order_items", "events", "reviews", "promotions")
TABLES = (*CATALOGUE, *SALES)
UNFILLED = ("exchange_rates",)
"""Tables that no sample shop has rows for."""
BATCH_ROWS = 100_000

Progress = Callable[[str, int, int], None]
"""Called with a table's name, its rows loaded so far, and about how many it will have."""


@dataclass(frozen=True)
class Shop:
    """A sample shop: the scripts that make its tables in DuckDB, and the variables that these read.

    `catalogue` makes the customers and articles, `sales` what is made of them.
    """

    name: str
    catalogue: tuple[str, ...]
    sales: tuple[str, ...]
    variables: Mapping[str, Any]
    expected_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the content."""
        texts = [script(name) for name in ("schema.sql", *self.catalogue, *self.sales)]
        content = json.dumps([self.name, dict(self.variables), texts], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()

    def create(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run the scripts: then DuckDB has a table or view for each of the canonical tables."""
        self.create_catalogue(connection)
        self.create_sales(connection)

    def create_catalogue(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run those for customers and articles alone."""
        connection.execute("set timezone = 'UTC'")
        # Joins keep the order of their left side, whatever the sizes and the number of threads.
        connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
        for name, value in self.variables.items():
            connection.execute(f"set variable {name} = ?", [value])
        for name in self.catalogue:
            connection.execute(script(name))

    def create_sales(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run the others, in the same connection."""
        for name in self.sales:
            connection.execute(script(name))


def script(name: str) -> str:
    """The text of one of this package's SQL files."""
    return (files("shopmill.shops") / name).read_text("utf-8")


def loaded_rows(dsn: str, shop: Shop) -> dict[str, int] | None:
    """Rows by table when the database already holds exactly this shop, else None.

    Raises InvalidInputError when the database holds a shop that was not loaded from here, for loading would drop it.
    """
    with psycopg.connect(dsn) as connection:
        ours = connection.execute("select to_regclass('shopmill_demo.shop_info') is not null").fetchone()
        if ours == (True,):
            query = "select rows from shopmill_demo.shop_info where fingerprint = %s"
            found = connection.execute(query, [shop.fingerprint]).fetchone()
            return {table: found[0][table] for table in TABLES} if found else None
        query = "select string_agg(tablename, ', ') from pg_tables where schemaname = 'public' and tablename = any(%s)"
        foreign = connection.execute(query, [list(TABLES)]).fetchone()
        if foreign and foreign[0]:
            raise InvalidInputError(
                f"Database {connection.info.dbname} has tables that no sample shop made ({foreign[0]}) and loading "
                "would replace: choose an empty database."
            )
    return None


def load_shop(
    dsn: str,
    shop: Shop,
    source: duckdb.DuckDBPyConnection,
    progress: Progress | None = None,
    catalogue_loaded: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Replace the tables in PostgreSQL by those that the shop's scripts make in `source`; return the rows by table.

    `catalogue_loaded` is called when customers and articles are there, and what it does comes before the rest.
    """
    shop.create_catalogue(source)
    with adbc.connect(dsn) as connection, connection.cursor() as cursor:
        _execute(cursor, f"drop table if exists {', '.join((*TABLES, *UNFILLED))}")
        _execute(cursor, script("schema.sql"))
        _execute(cursor, script("shop_info.sql"))  # without a row: of a shop that is not whole
        rows = _fill(cursor, CATALOGUE, shop, source, progress)
        connection.commit()
    _analyze(dsn, CATALOGUE)
    catalogue_loaded()
    shop.create_sales(source)
    with adbc.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"truncate {', '.join(SALES)}")  # COPY into a table that is emptied beside it writes no WAL
        rows |= _fill(cursor, SALES, shop, source, progress)
        _execute(cursor, script("indexes.sql"))
        _record(cursor, shop, rows)
        connection.commit()
    _analyze(dsn, SALES)
    return rows


def _fill(
    cursor: adbc.Cursor,
    tables: Sequence[str],
    shop: Shop,
    source: duckdb.DuckDBPyConnection,
    progress: Progress | None,
) -> dict[str, int]:
    def ingested(table: str) -> int:
        return _ingest(cursor, _Counted(table, source.table(table).to_arrow_reader(BATCH_ROWS), shop, progress))

    return {table: ingested(table) for table in tables}


@dataclass
class _Counted:
    """An Arrow stream that counts and reports what goes through."""

    table: str
    source: pa.RecordBatchReader
    shop: Shop
    progress: Progress | None
    rows: int = 0
    error: BaseException | None = None

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.source.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.source:
                self.rows += batch.num_rows
                if self.progress:
                    self.progress(self.table, self.rows, max(self.rows, self.shop.expected_rows.get(self.table, 0)))
                yield batch
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise


def _ingest(cursor: adbc.Cursor, batches: _Counted) -> int:
    try:
        cursor.adbc_ingest(batches.table, batches.reader(), mode="append", db_schema_name="public")
    except adbc.Error as error:
        # ADBC wraps what happens on our side of the stream, Ctrl-C too.
        raise batches.error or ShopmillError(f"Loading table {batches.table} failed: {error}") from error
    return batches.rows


def _record(cursor: adbc.Cursor, shop: Shop, rows: dict[str, int]) -> None:
    variables = json.dumps(dict(shop.variables), default=str)
    values = [shop.name, variables, shop.fingerprint, json.dumps(rows)]
    cursor.execute("insert into shopmill_demo.shop_info select $1, $2::jsonb, $3, $4::jsonb", values)


def _execute(cursor: adbc.Cursor, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            cursor.execute(statement)


def _analyze(dsn: str, tables: Sequence[str]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"analyze {', '.join(tables)}")
