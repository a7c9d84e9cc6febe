"""Cuts a stream of rows that is sorted by day into one Parquet file per day.

Row groups have a fixed number of rows counted from the start of the day, so a file's bytes follow from its rows alone.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.engine.splitting import ROW_GROUP
from shopmill.source.contract import SourceTable
from shopmill.source.snapshot import UNDATED

SAMPLE_ROWS = 1000

Deliver = Callable[[str, Path, int], None]
"""Takes a finished file: its day ('' for a dimension, 'undated' for rows without one), its path, its number of rows."""


class DayFiles:
    """Writes batches whose first column is the day; a day must come in one piece."""

    def __init__(self, table: SourceTable, folder: Path, deliver: Deliver):
        self._table, self._folder, self._deliver = table, folder, deliver
        self._day: date | None = None
        self._writer: pq.ParquetWriter | None = None
        self._pieces: list[pa.RecordBatch] = []
        self._held = self._written = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        runs = pc.run_end_encode(batch.column(0))
        rows, begin = batch.select(batch.schema.names[1:]), 0
        for day, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            if day != self._day:
                self.close()
                self._day = day
            self._take(rows.slice(begin, end - begin))
            begin = end

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._table.name}-{self._day}.parquet"

    def _take(self, rows: pa.RecordBatch) -> None:
        self._pieces.append(rows)
        self._held += rows.num_rows
        while self._held >= ROW_GROUP:
            self._write(ROW_GROUP)

    def _write(self, count: int) -> None:
        held = pa.Table.from_batches(self._pieces).combine_chunks()
        self._writer = self._writer or pq.ParquetWriter(
            self._path,
            held.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_repeating(held),
            write_statistics=_counted(held),
        )
        self._writer.write_table(held.slice(0, count), row_group_size=ROW_GROUP)
        self._pieces = held.slice(count).to_batches()
        self._held -= count
        self._written += count

    def close(self) -> None:
        """Finishes the file of the last day."""
        if self._held:
            self._write(self._held)
        if self._writer is None:
            return
        self._writer.close()
        label = str(self._day) if self._day else UNDATED if self._table.is_fact else ""
        self._deliver(label, self._path, self._written)
        self._writer, self._pieces, self._written = None, [], 0


def _counted(rows: pa.Table) -> list[str]:
    """The columns that get statistics: all but texts.

    Where all texts of a row group are the same but for nulls, DuckDB 2.0 takes from the statistics that a filter
    `is null` holds for every row.
    """
    return [field.name for field in rows.schema if not pa.types.is_string(field.type)]


def _repeating(rows: pa.Table) -> list[str]:
    """The columns that a dictionary shortens, by a look at the first rows: for ids it is work, and longer files."""
    sample = rows.slice(0, SAMPLE_ROWS)
    return [name for name in rows.column_names if 4 * pc.count_distinct(sample[name]).as_py() <= sample.num_rows]
