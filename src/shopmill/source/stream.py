"""Streams of rows from the shop into Parquet files: a file per day for facts, one file for a dimension.

Rows have a total order, so equal content gives equal bytes whatever order the database sends it in. Memory is bounded by
DuckDB's limit and one row group, never by the table's size.
"""

import logging
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from shopmill.asof import midnight
from shopmill.engine.duckdb_engine import connect
from shopmill.engine.identifiers import quote
from shopmill.errors import ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import SourceTable
from shopmill.source.database import explain
from shopmill.source.day_files import ROW_GROUP, DayFiles, Deliver
from shopmill.source.snapshot import FIRST_DAY

log = logging.getLogger(__name__)
CHUNK_ROWS = 250_000  # sorted in the cache, and little is left to do when the last row has come
QUEUED_BATCHES = 8


def read_rows(
    reader: pa.RecordBatchReader, table: SourceTable, settings: Settings, folder: Path, deliver: Deliver
) -> int:
    """Writes the stream, which comes in the order of the table's time, and delivers each file; gives the number of rows.

    One thread receives, one sorts, and this one writes.
    """
    files, total, nulls = DayFiles(table, folder, deliver), 0, Counter[str]()
    with (
        closing(connect(settings, folder)) as connection,
        closing(prefetched(_received(reader, table.name, nulls))) as arriving,
        closing(prefetched(_sorted(connection, reader.schema, table, settings, arriving))) as rows,
    ):
        for batch in rows:
            nulls.subtract(_nulls(batch, reader.schema.names))
            files.add(batch)
            total += batch.num_rows
        files.close()
    _warn_of_lost_values(table, nulls)
    return total


def _received(reader: pa.RecordBatchReader, table: str, nulls: Counter[str]) -> Iterator[pa.RecordBatch]:
    """The batches that have rows, their nulls counted on the way."""
    try:
        for batch in reader:
            if batch.num_rows:
                nulls.update(_nulls(batch, batch.schema.names))
                yield batch
    except Exception as error:  # whatever stops the stream
        raise explain(table, error) from None


def _sorted(
    connection: duckdb.DuckDBPyConnection,
    schema: pa.Schema,
    table: SourceTable,
    settings: Settings,
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    query = _sorted_query(table, schema.names, settings.time_zone)
    for piece in whole_days(batches, table.time, settings.zone):
        yield from _queried(connection, query, schema, piece)


def _queried(
    connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The result of a query over a stream that is called `arriving`; what breaks the stream is raised as it was."""
    broken: list[ShopmillError] = []

    def arriving() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except ShopmillError as error:  # DuckDB would hand on nothing but its text
            broken.append(error)
            raise

    connection.register("arriving", pa.RecordBatchReader.from_batches(schema, arriving()))
    try:
        yield from connection.sql(query).to_arrow_reader(ROW_GROUP)
    except duckdb.Error:
        if broken:
            raise broken[0] from None
        raise
    finally:
        connection.unregister("arriving")


def whole_days(batches: Iterator[pa.RecordBatch], time: str, zone: ZoneInfo) -> Iterator[Iterator[pa.RecordBatch]]:
    """The stream in pieces that end with a day, of CHUNK_ROWS or a little more; without a time, in one piece.

    A piece must be read to its end before the next one is asked for.
    """
    rest: list[pa.RecordBatch] = []

    def piece(first: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in chain([first], batches):
            rows += batch.num_rows
            cut = _rows_before_the_last_day(batch.column(time), zone) if time and rows >= CHUNK_ROWS else 0
            if cut:
                rest.append(batch.slice(cut))
                yield batch.slice(0, cut)
                return
            yield batch

    for first in batches:
        rest.append(first)
        while rest:
            yield piece(rest.pop())


def _rows_before_the_last_day(times: pa.Array, zone: ZoneInfo) -> int:
    """Of rows in the order of their time; 0 where they are of one day or the last has no usable time."""
    last, first_day = times[-1], pa.scalar(FIRST_DAY).cast(times.type)
    if not last.is_valid or pc.less(last, first_day).as_py():
        return 0
    is_date = pa.types.is_date(times.type)
    begin = last if is_date else pa.scalar(midnight(last.as_py().astimezone(zone).date(), zone), times.type)
    return int(pc.sum(pc.less(times, begin)).as_py() or 0)


def _sorted_query(table: SourceTable, found: Iterable[str], zone: str) -> str:
    """The arriving rows in the contract's types, with their day in front, in total order.

    What does not fit a type becomes null: such a row is rejected with a reason, an error would stop the whole shop.
    """
    names = set(found)
    values = {
        c.name: f"try_cast({quote(c.name)} as {c.type})" if c.name in names else f"null::{c.type}"
        for c in table.columns
    }
    if table.time in values:
        values[table.time] = f"case when {quote(table.time)} >= '{FIRST_DAY}' then {values[table.time]} end"
    columns = ", ".join(f"{value} as {quote(name)}" for name, value in values.items())
    order = _fact_order(table, list(values)) if table.is_fact else ", ".join(map(quote, values))
    return f"select * from (select {_day_expression(table, zone)} as _day, {columns} from arriving) order by {order}"


def _fact_order(table: SourceTable, names: list[str]) -> str:
    """Day and time, then two hashes: of the first other column, so that what belongs together lies together, of the row.

    Numbers of 8 bytes sort in two thirds of the time that all columns take. Rows that tie are the same in all columns,
    but for one pair in 2^64, whose order would only make a day look changed.
    """
    other = next(name for name in names if name != table.time)
    time = [] if table.has_dates or table.time not in names else [table.time]  # a date is the day itself
    return ", ".join([*map(quote, ["_day", *time]), f"hash({quote(other)})", f"hash({', '.join(map(quote, names))})"])


def _day_expression(table: SourceTable, zone: str) -> str:
    """The shop's calendar day of a row, null for a dimension and for a row without a usable time."""
    if not table.is_fact:
        return "null::date"
    day = quote(table.time) if table.has_dates else f"({quote(table.time)} at time zone '{zone}')::date"
    return f"case when {quote(table.time)} >= '{FIRST_DAY}' then {day} end"


def prefetched(batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    """The same batches, made by a thread while earlier ones are used."""
    queue: Queue[object] = Queue(QUEUED_BATCHES)
    abandoned = Event()
    thread = Thread(target=_fetch, args=(batches, queue, abandoned), daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        abandoned.set()
        _drain(queue, thread)


def _fetch(batches: Iterator[pa.RecordBatch], queue: "Queue[object]", abandoned: Event) -> None:
    try:
        for batch in batches:
            queue.put(batch)
            if abandoned.is_set():
                return
        queue.put(None)
    except Exception as error:  # raised again where the batches are used
        queue.put(error)


def _drain(queue: "Queue[object]", thread: Thread) -> None:
    """Lets a fetching thread that waits for a place in the queue come to its end."""
    while thread.is_alive():
        if not queue.empty():
            queue.get()
        thread.join(0.01)


def _nulls(batch: pa.RecordBatch, names: Iterable[str]) -> dict[str, int]:
    return {name: batch.column(name).null_count for name in names if name in batch.schema.names}


def _warn_of_lost_values(table: SourceTable, arrived_less_written: Counter[str]) -> None:
    for name, nulls in sorted(arrived_less_written.items()):
        if nulls < 0 and name != table.time:
            log.warning("%s: %d values of %s do not fit its type and are read as null", table.name, -nulls, name)
