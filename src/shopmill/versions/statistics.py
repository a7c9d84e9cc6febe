"""What the columns of a version look like: nulls, distinct values, range, a histogram or the most frequent values.

Computed once per version, with its checks, from at most SAMPLE_ROWS rows of each table, and kept beside the manifest as statistics.json.
It is no part of what a version is: the id does not hash it, and another way to count changes no version.
"""

import logging
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.errors import DamagedError, StoreError
from shopmill.personal import is_personal
from shopmill.versions.cache import local
from shopmill.versions.column_statistics import Bar, ColumnStatistics, describe_column
from shopmill.versions.layout import STATISTICS
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.ranged import RangedFile
from shopmill.versions.store import to_json
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
FORM = 2  # of the document: another number is computed again
SAMPLE_ROWS = 100_000
LEAST_PLACES, MOST_PLACES = 16, 100
"""In how many places a table of more rows is looked at: in more where its files are small."""
COLUMNS_AT_ONCE = 32
"""So many columns are read of a file that is opened: each alone would open a table of many days as often as it has columns."""


@dataclass(frozen=True)
class TableStatistics:
    """The columns of one table, of `sampled` of its `rows`."""

    rows: int
    sampled: int
    columns: tuple[ColumnStatistics, ...]

    def column(self, name: str) -> ColumnStatistics | None:
        """What one column looks like, where it is known."""
        return next((column for column in self.columns if column.name == name), None)


Statistics = dict[str, TableStatistics]


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


def statistics_of(versions: Versions, manifest: Manifest, scratch: Path | None = None, keep: bool = True) -> Statistics:
    """The statistics of a version: as kept, or else computed now and kept where the store may be written.

    Files of an object store are downloaded into `scratch`, by default into the cache of the user who reads.
    """
    if (kept := kept_statistics(versions, manifest)) is not None:
        return kept
    tables = {table: TableFiles.of(versions, manifest, table) for table in manifest.tables}
    found = describe(tables, fetching(versions, manifest, scratch))
    if keep:
        keep_statistics(versions, manifest, found)
    return found


def fetching(versions: Versions, manifest: Manifest, scratch: Path | None = None) -> Fetch:
    """Brings files of a version here: into `scratch`, or into the cache of the user who reads."""
    store = versions.store
    if scratch is not None:
        return lambda keys, _files: store.fetch(keys, scratch)
    return lambda keys, files: local(store, keys, files, manifest.version)


def kept_statistics(versions: Versions, manifest: Manifest) -> Statistics | None:
    """The statistics beside a manifest; None where there are none that can be used."""
    try:
        return statistics_in(versions.store.read_json(f"{versions.folder(manifest)}/{STATISTICS}"))
    except (DamagedError, FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def has_people(versions: Versions, manifest: Manifest) -> bool:
    """Whether the statistics beside a manifest have values of people, as those of older code may."""
    try:
        document = versions.store.read_json(f"{versions.folder(manifest)}/{STATISTICS}")
        columns = [_as_kept(column) for table in document["tables"].values() for column in table["columns"]]
    except (DamagedError, FileNotFoundError, KeyError, TypeError, ValueError):
        return False
    return any(column.without_people != column for column in columns)


def keep_statistics(versions: Versions, manifest: Manifest, found: Statistics) -> None:
    """Writes statistics beside a manifest, where the store may be written."""
    try:
        versions.store.write(f"{versions.folder(manifest)}/{STATISTICS}", to_json(document_of(found)))
    except StoreError as error:  # who only reads computes them again
        log.info("Statistics are not kept: %s", error)


def document_of(found: Statistics) -> dict[str, Any]:
    """Statistics as JSON."""
    return {"form": FORM, "tables": {name: asdict(table) for name, table in found.items()}}


def statistics_in(document: dict[str, Any]) -> Statistics:
    """The reverse of `document_of`; ValueError for another form."""
    if document["form"] != FORM:
        raise ValueError(document["form"])
    return {name: _table(table) for name, table in document["tables"].items()}


def _table(document: dict[str, Any]) -> TableStatistics:
    return TableStatistics(document["rows"], document["sampled"], tuple(map(_column, document["columns"])))


def _column(document: dict[str, Any]) -> ColumnStatistics:
    return _as_kept(document).without_people


def _as_kept(document: dict[str, Any]) -> ColumnStatistics:
    bars = {name: tuple(Bar(**bar) for bar in document[name]) for name in ("histogram", "top")}
    return ColumnStatistics(**{**document, **bars})


def describe(tables: Mapping[str, TableFiles], fetch: Fetch) -> Statistics:
    """Computes the statistics of tables."""
    return {name: _describe(table, fetch) for name, table in tables.items()}


def _describe(table: TableFiles, fetch: Fetch) -> TableStatistics:
    chosen = sample(table, fetch)
    columns = tuple(_describe_columns(chosen, table.columns))
    return TableStatistics(table.rows, sum(part.taken for part in chosen), columns)


def sample(table: TableFiles, fetch: Fetch) -> "list[Part]":
    """Rows that stand for all of a table, about SAMPLE_ROWS: all of a small one, else some of row groups all over it."""
    with_rows = [pair for pair in zip(table.keys, table.files, strict=True) if pair[1].rows]
    places = _places(table.rows, len(with_rows))
    due = _hit(places, [file.rows for _, file in with_rows])
    sources = fetch([with_rows[number][0] for number in due], [with_rows[number][1] for number in due])
    most = SAMPLE_ROWS // len(places) if table.rows > SAMPLE_ROWS else table.rows
    found = zip(sources, due.values(), strict=True)
    return [part for source, rows in found for part in _parts(source, rows, most)]


def _places(rows: int, files: int) -> list[int]:
    """Rows to look at, by number: one in each of so many stretches, for at one distance all could be of one weekday."""
    if rows <= SAMPLE_ROWS:
        return list(range(rows))
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
    """Rows of a row group: its file, its number there, and how many of its rows are looked at."""

    source: Source
    group: int
    rows: int
    taken: int

    def of(self, group: "pa.Table") -> "pa.Table":
        """Those rows, evenly spread over the group."""
        if self.taken >= self.rows:
            return group
        return group.take([place * self.rows // self.taken for place in range(self.taken)])


def _parts(source: Source, places: Sequence[int], most: int) -> Iterator[Part]:
    """The row groups of a file that some of its rows are in, and of each at most so many rows for each of these."""
    import pyarrow.parquet as pq

    metadata = pq.ParquetFile(source).metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    inside = [min(place, sum(sizes) - 1) for place in places if sum(sizes)]  # a damaged file may have fewer rows
    for group, hits in _hit(inside, sizes).items():
        yield Part(source, group, sizes[group], min(sizes[group], most * len(hits)))


def _describe_columns(parts: Sequence[Part], names: Sequence[str]) -> Iterator[ColumnStatistics]:
    if not parts:
        yield from (ColumnStatistics(name, 0, personal=is_personal(name)) for name in names)
        return
    for first in range(0, len(names), COLUMNS_AT_ONCE):
        some = names[first : first + COLUMNS_AT_ONCE]
        rows = _rows_of(parts, some)
        yield from (describe_column(name, rows.column(name)) for name in some)


def values_of(parts: Sequence[Part], name: str) -> "pa.Table":
    """A column of a sample, as `v`."""
    return _rows_of(parts, [name]).rename_columns(["v"])


def _rows_of(parts: Sequence[Part], names: Sequence[str]) -> "pa.Table":
    """Some columns of a sample; each file is opened once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_file: dict[Source, list[Part]] = {}
    for part in parts:
        by_file.setdefault(part.source, []).append(part)
    found = []
    for source, some in by_file.items():
        file = pq.ParquetFile(source)
        found += [part.of(file.read_row_group(part.group, columns=list(names))) for part in some]
    return pa.concat_tables(found)
