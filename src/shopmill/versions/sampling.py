"""Rows that stand for all of a table: of files and row groups all over it, and of its newest day."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from shopmill.versions.manifest import File, Manifest
from shopmill.versions.ranged import RangedFile
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import FileMetaData

SAMPLE_ROWS = 100_000
LEAST_PLACES, MOST_PLACES = 16, 64
"""In how many places a table of more rows is looked at: in more where its files are small."""


@dataclass(frozen=True)
class TableFiles:
    """The files of a table, and where they are. Those of a version, or those that are to become one."""

    columns: tuple[str, ...]
    files: tuple[File, ...]
    keys: tuple[str, ...]

    @classmethod
    def of(cls, versions: Versions, manifest: Manifest, table: str) -> "TableFiles":
        """Those of a version."""
        columns = tuple(column["name"] for column in manifest.content["tables"][table]["columns"])
        folder, files = versions.folder(manifest), tuple(manifest.files(table))
        return cls(columns, files, tuple(f"{folder}/{file.path}" for file in files))

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)


Source = Path | RangedFile
Fetch = Callable[[list[str], list[File]], Sequence[Source]]
"""What brings files of the store here, by their keys, or opens them there."""


def sample(table: TableFiles, fetch: Fetch) -> "list[Part]":
    """Rows that stand for all of a table, about SAMPLE_ROWS: all of a small one, else some of row groups all over it."""
    with_rows = [pair for pair in zip(table.keys, table.files, strict=True) if pair[1].rows]
    if table.rows <= SAMPLE_ROWS:
        sources = fetch([key for key, _ in with_rows], [file for _, file in with_rows])
        return [part for source in sources for part in _all_parts(source)]
    places = _places(table.rows, len(with_rows))
    due = _hit(places, [file.rows for _, file in with_rows])
    sources = fetch([with_rows[number][0] for number in due], [with_rows[number][1] for number in due])
    most = SAMPLE_ROWS // len(places)
    found = zip(sources, due.values(), strict=True)
    return [part for source, rows in found for part in _parts(source, rows, most)]


def _places(rows: int, files: int) -> list[int]:
    """Rows to look at, by number: one in each of so many stretches, for at one distance all could be of one weekday."""
    wanted = min(MOST_PLACES, max(LEAST_PLACES, SAMPLE_ROWS * files // rows))
    dice = random.Random(0)
    return [int((place + dice.random()) * rows / wanted) for place in range(wanted)]


def _hit(places: Iterable[int], sizes: Sequence[int]) -> dict[int, list[int]]:
    """Which of things of some sizes the places are in, by number, and where in each."""
    ends = list(accumulate(sizes))
    found: dict[int, list[int]] = {}
    for place in places:
        number = bisect_right(ends, place)
        found.setdefault(number, []).append(place - ends[number] + sizes[number])
    return found


@dataclass(frozen=True)
class Part:
    """Rows of a row group: its file with what this says of itself, its number there, and how many of its rows are looked at."""

    source: Source
    metadata: "FileMetaData"
    group: int
    rows: int
    taken: int

    def of(self, group: "pa.Table") -> "pa.Table":
        """Those rows, evenly spread over the group."""
        if self.taken >= self.rows:
            return group
        return group.take(evenly(self.rows, self.taken))


def evenly(rows: int, most: int) -> list[int]:
    """The numbers of so many rows, evenly spread."""
    return [place * rows // most for place in range(most)]


def _parts(source: Source, places: Sequence[int], most: int) -> Iterator[Part]:
    """The row groups of a file that some of its rows are in, and of each at most so many rows for each of these."""
    import pyarrow.parquet as pq

    metadata = pq.ParquetFile(source).metadata
    sizes = _sizes(metadata)
    inside = [min(place, sum(sizes) - 1) for place in places if sum(sizes)]  # a damaged file may have fewer rows
    for group, hits in _hit(inside, sizes).items():
        yield Part(source, metadata, group, sizes[group], min(sizes[group], most * len(hits)))


def _all_parts(source: Source) -> Iterator[Part]:
    """All rows of a file."""
    import pyarrow.parquet as pq

    metadata = pq.ParquetFile(source).metadata
    yield from (Part(source, metadata, group, rows, rows) for group, rows in enumerate(_sizes(metadata)) if rows)


def _sizes(metadata: "FileMetaData") -> list[int]:
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def values_of(parts: Sequence[Part], name: str) -> "pa.Table":
    """A column of a sample, as `v`."""
    return rows_of(parts, [name]).rename_columns(["v"])


def rows_of(parts: Sequence[Part], names: Sequence[str]) -> "pa.Table":
    """Some columns of a sample; each file is opened once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_file: dict[Source, list[Part]] = {}
    for part in parts:
        by_file.setdefault(part.source, []).append(part)
    found = []
    for source, some in by_file.items():
        file = pq.ParquetFile(source, metadata=some[0].metadata)
        found += [part.of(file.read_row_group(part.group, columns=list(names))) for part in some]
    return pa.concat_tables(found)


def rows_of_day(table: TableFiles, column: str, day: date, fetch: Fetch) -> "pa.Table | None":
    """The rows whose `column` is a day, out of the file of the period that the day is in; None where there is no such file."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    named = zip(table.keys, table.files, strict=True)
    begun = [(key, file) for key, file in named if file.rows and Path(file.path).stem <= str(day)]
    if not begun:
        return None
    key, file = max(begun, key=lambda pair: Path(pair[1].path).stem)
    [source] = fetch([key], [file])
    parquet, names = pq.ParquetFile(source), [*{*table.columns, column}]
    groups = [n for n in range(parquet.num_row_groups) if _may_have(parquet.metadata, n, column, day)]
    read = (parquet.read_row_group(number, columns=names) for number in groups)
    found = [rows.filter(pc.equal(rows.column(column), day)).select(list(table.columns)) for rows in read]
    return pa.concat_tables(found) if found else None


def _may_have(metadata: "FileMetaData", group: int, column: str, day: date) -> bool:
    place = metadata.schema.names.index(column)
    known = metadata.row_group(group).column(place).statistics
    return known is None or not known.has_min_max or known.min <= day <= known.max
