"""Many small Parquet files from one sorted stream of rows: a statement for each would cost more than its rows do."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.engine.splitting import ROW_GROUP

IN_FLIGHT = 2
"""Files for each thread that are held in memory, in writing or about to be."""


def write_each(rows: pa.RecordBatchReader, label: str, folder: Path, threads: int) -> list[tuple[str, Path, int]]:
    """Writes the rows of each value of the column `label`, by which they come sorted, as a file of their own without it.

    Gives the value, the path and the number of rows of each. The same rows give the same bytes, however they come in
    batches: a file is written by one thread, from one piece of memory.
    """
    schema = numbered(pa.schema([field for field in rows.schema if field.name != label]))
    written: list[Future[tuple[str, Path, int]]] = []
    pool = ThreadPoolExecutor(threads)
    try:
        for name, found in _by_label(rows, label):
            if len(written) >= threads * IN_FLIGHT:
                written[-threads * IN_FLIGHT].result()
            written.append(pool.submit(_write, found, schema, name, folder / f"{name}.parquet"))
        return [one.result() for one in written]
    finally:
        pool.shutdown(cancel_futures=True)  # after an error, or Ctrl-C, no further one is begun


def _write(found: list[pa.RecordBatch], schema: pa.Schema, name: str, path: Path) -> tuple[str, Path, int]:
    table = pa.Table.from_batches(found).select(schema.names).combine_chunks()
    pq.write_table(
        pa.Table.from_arrays(table.columns, schema=schema),
        path,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=3,
        store_schema=False,
        store_decimal_as_integer=True,
    )
    return name, path, table.num_rows


def _by_label(rows: pa.RecordBatchReader, label: str) -> Iterator[tuple[str, list[pa.RecordBatch]]]:
    """The values of the column with their rows, which may begin in one batch and end in another."""
    name, held = "", list[pa.RecordBatch]()
    for batch in rows:
        runs, begun = pc.run_end_encode(batch[label]), 0
        for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            if held and value != name:
                yield name, held
                held = []
            name = value
            held.append(batch.slice(begun, end - begun))
            begun = end
    if held:
        yield name, held


def numbered(schema: pa.Schema) -> pa.Schema:
    """The schema with the numbers that Iceberg gives: columns from 1 in their order, then the elements of lists.

    Some readers of Iceberg tables find columns by these alone. All columns are optional: whether one has nulls is no part
    of a schema that all files share.
    """
    elements = iter(range(len(schema) + 1, 2 * len(schema) + 1))
    return pa.schema([_numbered(field, place, elements) for place, field in enumerate(schema, 1)])


def _numbered(field: pa.Field, place: int, elements: Iterator[int]) -> pa.Field:
    kind = field.type
    if pa.types.is_list(kind):
        kind = pa.list_(_numbered(kind.value_field, next(elements), elements))
    return pa.field(field.name, kind, nullable=True, metadata={"PARQUET:field_id": str(place)})
