"""Streams of rows from the shop into Parquet files: a file per day for facts, one file for a dimension.

Rows are sorted by all columns, so equal content gives equal bytes whatever order the database sends it in;
the file's name is its hash. Memory is bounded by DuckDB's limit, never by the table's size.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from queue import Queue
from threading import Thread

import duckdb
import pyarrow as pa

from shopmill.engine.duckdb_engine import connect
from shopmill.errors import ShopmillError
from shopmill.identifiers import quote
from shopmill.settings import Settings
from shopmill.source.contract import SourceTable
from shopmill.source.database import explain

CHUNK_ROWS = 1_000_000
QUEUED_BATCHES = 4
PARQUET = "(format parquet, compression zstd, compression_level 1, row_group_size 122880)"

Deliver = Callable[[str, Path, int], None]
"""Takes a finished file: its day ('' for a dimension), its path, its number of rows."""


def read_rows(
    reader: pa.RecordBatchReader, table: SourceTable, settings: Settings, folder: Path, deliver: Deliver
) -> int:
    """Writes the stream, which comes in the order of the table's time, and delivers each file; returns the number of rows."""
    with closing(connect(settings, folder)) as connection:
        writer = _Writer(connection, table, settings.time_zone, folder, deliver)
        for batch in prefetched(reader, table.name):
            writer.add(batch)
        writer.flush(everything=True)
    return writer.total


class _Writer:
    """Collects batches in a temporary table that may spill, and writes the days that are complete."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: SourceTable, zone: str, folder: Path, deliver: Deliver
    ):
        self.connection, self.table, self.folder, self.deliver = connection, table, folder, deliver
        self.total = self.pending = 0
        self.day_expression = self._day(zone)

    def _day(self, zone: str) -> str:
        if not self.table.is_fact:
            return "null::date"
        time = quote(self.table.time)
        of_type = next((c.type for c in self.table.columns if c.name == self.table.time), "timestamptz")
        return time if of_type == "date" else f"({time} at time zone '{zone}')::date"

    def add(self, batch: pa.RecordBatch) -> None:
        self.connection.register("batch", pa.table({name: batch.column(name) for name in batch.schema.names}))
        names = set(batch.schema.names)
        columns = ", ".join(
            f"cast({quote(c.name) if c.name in names else 'null'} as {c.type}) as {quote(c.name)}"
            for c in self.table.columns
        )
        query = f"select {self.day_expression} as _day, {columns} from batch"
        create = "insert into pending" if self.total else "create temp table pending as"
        self.connection.execute(f"{create} {query}")
        self.connection.unregister("batch")
        self.total += batch.num_rows
        self.pending += batch.num_rows
        if self.pending >= CHUNK_ROWS:
            self.flush()

    def flush(self, everything: bool = False) -> None:
        """Writes every day but the last, which may still grow; with `everything` that one too."""
        if not self.total:
            return
        days = self.connection.execute(
            "select _day, count(*) from pending group by _day order by _day nulls last"
        ).fetchall()
        finished = days if everything else days[:-1]
        for day, rows in finished:
            self._write(day, rows)
        if finished:
            self.connection.execute(
                "create or replace temp table pending as select * from pending where _day > $day",
                {"day": finished[-1][0]},
            )
            self.pending = sum(rows for _, rows in days) - sum(rows for _, rows in finished)

    def _write(self, day: date | None, rows: int) -> None:
        columns = ", ".join(quote(c.name) for c in self.table.columns)
        path = self.folder / f"{self.table.name}-{day}.parquet"
        self.connection.execute(
            f"copy (select {columns} from pending where _day is not distinct from $day order by {self._order()}) to '{path}' {PARQUET}",
            {"day": day},
        )
        label = str(day) if day else "undated" if self.table.is_fact else ""
        self.deliver(label, path, rows)

    def _order(self) -> str:
        columns = [c.name for c in self.table.columns]
        first = [self.table.time] if self.table.time in columns else []
        return ", ".join(quote(name) for name in [*first, *(c for c in columns if c not in first)])


def prefetched(reader: pa.RecordBatchReader, table: str) -> Iterator[pa.RecordBatch]:
    """The reader's batches, fetched by a thread while earlier ones are written."""
    queue: Queue[pa.RecordBatch | ShopmillError | None] = Queue(QUEUED_BATCHES)
    abandoned = False

    def fetch() -> None:
        try:
            for batch in reader:
                queue.put(batch)
                if abandoned:
                    return
            queue.put(None)
        except Exception as error:
            queue.put(explain(table, error))

    thread = Thread(target=fetch, daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, ShopmillError):
                raise item
            yield item
    finally:
        abandoned = True
        while thread.is_alive():
            if not queue.empty():
                queue.get()
            thread.join(0.01)
