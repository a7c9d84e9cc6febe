"""Streams of rows from the shop into Parquet files: a file per day for facts, one file for a dimension.

Rows have a total order, so equal content gives equal bytes whatever order the database sends it in. Memory is bounded by
DuckDB's limit and one row group, never by the table's size.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from shopmill.engine.duckdb_engine import connect
from shopmill.engine.identifiers import literal, quote
from shopmill.engine.splitting import ROW_GROUP
from shopmill.errors import ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import ATTRIBUTES, MISFITS, SourceColumn, SourceTable
from shopmill.source.database_errors import explain
from shopmill.source.day_files import DayFiles, Deliver
from shopmill.source.patience import nothing, prefetched
from shopmill.source.personal_data import Policy
from shopmill.source.selection import ATTRIBUTE, MISFIT, Selection
from shopmill.source.tombstones import Sieve
from shopmill.source.values import Cleaner, Counts, counted_misfits
from shopmill.zones import clocks_change_near, midnight

CHUNK_ROWS = 250_000  # sorted in the cache, and little is left to do when the last row has come
QUEUED_BATCHES = 8
MAY_NOT_FIT = {"numeric", "float4", "float8", "int8"}


def read_rows(
    reader: pa.RecordBatchReader,
    selection: Selection,
    settings: Settings,
    folder: Path,
    deliver: Deliver,
    encoding: str = "UTF8",
    late: Callable[[], object] = nothing,
    sieve: Sieve | None = None,
) -> Counts:
    """Writes the stream, which comes in the order of the table's time, and delivers each file; gives what came of it.

    One thread receives, one sorts, and this one writes. What the `sieve` holds back is written nowhere.
    `late` closes the reader's connection where it was left behind.
    """
    counts = Counts()
    files = DayFiles(selection.table, folder, deliver)
    cleaner, policy = Cleaner(selection, encoding, counts.lossy), Policy.of(settings)
    received = _received(reader, selection, cleaner, policy, sieve)
    with (
        ExitStack() as opened,
        closing(prefetched(received, QUEUED_BATCHES, settings.source_patience_seconds, late)) as arriving,
        closing(
            prefetched(_sorted(opened, settings, folder, reader.schema, selection, arriving), QUEUED_BATCHES)
        ) as rows,
    ):
        for batch in rows:
            counts.misfits.update(counted_misfits(batch.column(MISFITS)))
            counts.rows += batch.num_rows
            files.add(batch)
        files.close()
    return counts


def _received(
    reader: pa.RecordBatchReader, selection: Selection, cleaner: Cleaner, policy: Policy, sieve: Sieve | None
) -> Iterator[pa.RecordBatch]:
    """The batches that have rows, cleaned on the way: no rows of people who were erased, of others what is to be kept."""
    table = selection.table.name
    try:
        for batch in reader:
            kept = cleaner.clean(batch) if batch.num_rows else batch
            kept = sieve.keep(table, kept) if sieve else kept
            if not policy.keeps_all:
                kept = policy.apply(selection, kept)
                kept = sieve.keep(table, kept) if sieve else kept  # whom the store knew by the hash alone
            if kept.num_rows:
                yield kept
    except ShopmillError:
        raise
    except Exception as error:  # whatever stops the stream
        raise explain(table, error) from None


def _sorted(
    opened: ExitStack,
    settings: Settings,
    folder: Path,
    schema: pa.Schema,
    selection: Selection,
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """The rows in total order. Many tables of a shop are empty: DuckDB is opened for rows that have come."""
    query = _sorted_query(selection, schema.names)
    connection: duckdb.DuckDBPyConnection | None = None
    for piece in whole_days(batches, selection.times, selection.zone):
        connection = connection or opened.enter_context(closing(connect(settings, folder)))
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


def whole_days(
    batches: Iterator[pa.RecordBatch], times: Sequence[str], zone: ZoneInfo
) -> Iterator[Iterator[pa.RecordBatch]]:
    """The stream in pieces that end with a day, of CHUNK_ROWS or a little more; without times, in one piece.

    The first of the columns `times` that is not null dates a row. A piece must be read to its end before the next one
    is asked for.
    """
    rest: list[pa.RecordBatch] = []

    def piece(first: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in chain([first], batches):
            rows += batch.num_rows
            cut = _rows_before_the_last_day(batch, times, zone) if times and rows >= CHUNK_ROWS else 0
            if cut:
                rest.append(batch.slice(cut))
                yield batch.slice(0, cut)
                return
            yield batch

    for first in batches:
        rest.append(first)
        while rest:
            yield piece(rest.pop())


def _rows_before_the_last_day(batch: pa.RecordBatch, times: Sequence[str], zone: ZoneInfo) -> int:
    """Of rows in the order of their time; 0 where they are of one day, or where the days cannot be told apart."""
    dating = pc.coalesce(*(batch.column(name) for name in times))
    last = dating[-1]
    if not last.is_valid:
        return 0
    is_date = pa.types.is_date(dating.type)
    day = last.as_py() if is_date else last.as_py().astimezone(zone).date()
    begin = midnight(day, zone)
    if clocks_change_near(begin, zone):
        return 0
    first = last if is_date else pa.scalar(begin, dating.type)
    return int(pc.sum(pc.less(dating, first)).as_py() or 0)


def _sorted_query(selection: Selection, arriving: Collection[str]) -> str:
    """The arriving rows in the contract's types, with their day in front, in total order."""
    table = selection.table
    values = {column.name: _value(selection, column) for column in table.selected}
    if table.has_attributes:
        values[ATTRIBUTES] = _attributes(selection)
    values[MISFITS] = _misfits(selection, values, arriving)
    columns = ", ".join(f"{value} as {quote(name)}" for name, value in values.items())
    order = _fact_order(table, list(values)) if table.is_fact else ", ".join(map(quote, values))
    return f"select * from (select {_day_expression(selection)} as _day, {columns} from arriving) order by {order}"


def _value(selection: Selection, column: SourceColumn) -> str:
    """A column in its type. What does not fit is null: such a row is rejected with a reason, an error would stop the shop."""
    if column.name not in selection.types:
        return f"{column.default}::{column.type}"
    return quote(column.name) if column.type == "varchar" else f"try_cast({quote(column.name)} as {column.type})"


def _attributes(selection: Selection) -> str:
    """The shop's own columns as a JSON object, in the order of their names."""
    pairs = [f"{literal(name)}, {quote(f'{ATTRIBUTE}{number}')}" for number, name in enumerate(selection.own)]
    return f"json_object({', '.join(pairs)})::varchar" if pairs else "null::varchar"


def _misfits(selection: Selection, values: Mapping[str, str], arriving: Collection[str]) -> str:
    """What did not fit, as a JSON object of its texts; null for a row in which all fits."""
    texts = {}
    for column in selection.found:
        name = quote(column.name)
        if MISFIT + column.name in arriving:
            texts[column.name] = quote(MISFIT + column.name)
        elif selection.types[column.name] in MAY_NOT_FIT:
            texts[column.name] = f"case when {values[column.name]} is null then {name}::varchar end"
    if not texts:
        return "null::varchar"
    pairs = ", ".join(f"{literal(name)}, {text}" for name, text in sorted(texts.items()))
    some = f"coalesce({', '.join(texts.values())}) is not null"
    return f"case when {some} then json_merge_patch('{{}}', json_object({pairs}))::varchar end"


def _fact_order(table: SourceTable, names: list[str]) -> str:
    """Day and time, then two hashes: of the first other column, so that what belongs together lies together, of the row.

    Numbers of 8 bytes sort in two thirds of the time that all columns take. Rows that tie are the same in all columns,
    but for one pair in 2^64, whose order would only make a day look changed.
    """
    other = next(column.name for column in table.selected if column.name != table.time)
    time = [c.name for c in table.columns if c.name == table.time and c.type != "date"]  # a date is the day itself
    return ", ".join([*map(quote, ["_day", *time]), f"hash({quote(other)})", f"hash({', '.join(map(quote, names))})"])


def _day_expression(selection: Selection) -> str:
    """The shop's calendar day of a row, null for a dimension and for a row without a usable time."""
    if not selection.times:
        return "null::date"
    time = f"coalesce({', '.join(map(quote, selection.times))})"
    return time if selection.time_is_date else f"({time} at time zone '{selection.zone.key}')::date"
