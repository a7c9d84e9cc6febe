"""Streams of rows from the shop into Parquet files: a file per day for facts, one file for a dimension.

Rows are sorted by all columns, so equal content gives equal bytes whatever order the database sends it in.
Memory is bounded by DuckDB's limit and one row group, never by the table's size.
"""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue
from threading import Event, Thread

import duckdb
import pyarrow as pa

from shopmill.engine.duckdb_engine import connect
from shopmill.errors import ShopmillError
from shopmill.identifiers import quote
from shopmill.settings import Settings
from shopmill.source.contract import SourceTable
from shopmill.source.database import explain
from shopmill.source.day_files import ROW_GROUP, DayFiles, Deliver
from shopmill.source.snapshot import FIRST_DAY

log = logging.getLogger(__name__)
CHUNK_ROWS = 1_000_000
QUEUED_BATCHES = 4


def read_rows(
    reader: pa.RecordBatchReader, table: SourceTable, settings: Settings, folder: Path, deliver: Deliver
) -> int:
    """Writes the stream, which comes in the order of the table's time, and delivers each file; gives the number of rows."""
    with closing(connect(settings, folder)) as connection:
        chunks = _Chunks(connection, table, settings.time_zone, DayFiles(table, folder, deliver))
        for batch in prefetched(reader, table.name):
            chunks.add(batch)
        chunks.flush(everything=True)
    return chunks.total


class _Chunks:
    """Collects batches in a temporary table that may spill, and hands over, sorted, the days that are complete."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: SourceTable, zone: str, files: DayFiles):
        self.connection, self.table, self.files = connection, table, files
        self.total = self.pending = 0
        self.day = _day_expression(table, zone)
        self.columns = ", ".join(quote(column.name) for column in table.columns)

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes a batch, in the contract's types."""
        if not batch.num_rows:
            return
        self.connection.register("batch", pa.table({name: batch.column(name) for name in batch.schema.names}))
        try:
            self._insert(batch, "cast")
        except duckdb.ConversionException as error:
            # NaN, or a number too large: a row with a null is rejected with a reason, an error would stop the whole shop.
            log.warning("%s: values that do not fit are read as null: %s", self.table.name, str(error).splitlines()[0])
            self._insert(batch, "try_cast")
        self.connection.unregister("batch")
        self.total += batch.num_rows
        self.pending += batch.num_rows
        if self.pending >= CHUNK_ROWS:
            self.flush()

    def _insert(self, batch: pa.RecordBatch, cast: str) -> None:
        names = set(batch.schema.names)
        casts = {
            c.name: f"{cast}({quote(c.name) if c.name in names else 'null'} as {c.type})" for c in self.table.columns
        }
        if self.table.time in casts:
            casts[self.table.time] = (
                f"case when {quote(self.table.time)} >= '{FIRST_DAY}' then {casts[self.table.time]} end"
            )
        columns = ", ".join(f"{value} as {quote(name)}" for name, value in casts.items())
        into = "insert into pending" if self.total else "create temp table pending as"
        self.connection.execute(f"{into} select {self.day} as _day, {columns} from batch")

    def flush(self, everything: bool = False) -> None:
        """Hands over every day but the last, which may still grow; with `everything` that one too."""
        if not self.total:
            return
        first, last = self.connection.execute("select min(_day), max(_day) from pending").fetchall()[0]
        if first == last and not everything:
            return  # a single day, or a dimension, is sorted as a whole
        which = "true" if everything else f"_day < date '{last}'"
        query = f"select _day, {self.columns} from pending where {which} order by _day, {self._order()}"
        for batch in self.connection.sql(query).to_arrow_reader(ROW_GROUP):
            self.files.add(batch)
        self.files.close()
        self.connection.execute(f"create or replace temp table pending as select * from pending where not ({which})")
        self.pending = self.connection.execute("select count(*) from pending").fetchall()[0][0]

    def _order(self) -> str:
        names = [column.name for column in self.table.columns]
        first = [self.table.time] if self.table.time in names else []
        return ", ".join(quote(name) for name in [*first, *(name for name in names if name not in first)])


def _day_expression(table: SourceTable, zone: str) -> str:
    """The shop's calendar day of a row, null for a dimension and for a row without a usable time."""
    if not table.is_fact:
        return "null::date"
    is_date = any(column.name == table.time and column.type == "date" for column in table.columns)
    day = quote(table.time) if is_date else f"({quote(table.time)} at time zone '{zone}')::date"
    return f"case when {quote(table.time)} >= '{FIRST_DAY}' then {day} end"


def prefetched(reader: pa.RecordBatchReader, table: str) -> Iterator[pa.RecordBatch]:
    """The reader's batches, fetched by a thread while earlier ones are written."""
    queue: Queue[object] = Queue(QUEUED_BATCHES)
    abandoned = Event()
    thread = Thread(target=_fetch, args=(reader, table, queue, abandoned), daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, ShopmillError):
                raise item
            yield item
    finally:
        abandoned.set()
        _drain(queue, thread)


def _fetch(reader: pa.RecordBatchReader, table: str, queue: "Queue[object]", abandoned: Event) -> None:
    try:
        for batch in reader:
            queue.put(batch)
            if abandoned.is_set():
                return
        queue.put(None)
    except Exception as error:  # whatever stops the stream is told to the reader of the queue
        queue.put(explain(table, error))


def _drain(queue: "Queue[object]", thread: Thread) -> None:
    """Lets a fetching thread that waits for a place in the queue come to its end."""
    while thread.is_alive():
        if not queue.empty():
            queue.get()
        thread.join(0.01)
