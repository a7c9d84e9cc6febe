"""What the columns of a version look like: nulls, distinct values, range, a histogram or the most frequent values.

Computed once per version, with its checks, from at most SAMPLE_ROWS rows of each table, and kept beside the manifest as statistics.json.
It is no part of what a version is: the id does not hash it, and another way to count changes no version.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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
T = TypeVar("T")
FORM = 1  # of the document: another number is computed again
SAMPLE_ROWS = 100_000
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
    bars = {name: tuple(Bar(**bar) for bar in document[name]) for name in ("histogram", "top")}
    return ColumnStatistics(**{**document, **bars}).without_people


def describe(tables: Mapping[str, TableFiles], fetch: Fetch) -> Statistics:
    """Computes the statistics of tables."""
    return {name: _describe(table, fetch) for name, table in tables.items()}


def _describe(table: TableFiles, fetch: Fetch) -> TableStatistics:
    chosen = sample(table, fetch)
    columns = tuple(_describe_columns(chosen, table.columns))
    return TableStatistics(table.rows, sum(rows for _, _, rows in chosen), columns)


def sample(table: TableFiles, fetch: Fetch) -> "list[Part]":
    """The row groups of a table that stand for all of it: evenly spread, of about SAMPLE_ROWS rows."""
    with_rows = [pair for pair in zip(table.keys, table.files, strict=True) if pair[1].rows]
    chosen = spread(with_rows, lambda pair: pair[1].rows, SAMPLE_ROWS)
    paths = fetch([key for key, _ in chosen], [file for _, file in chosen])
    return spread(list(_row_groups(paths)), lambda part: part[2], SAMPLE_ROWS)


def spread(items: Sequence[T], rows_of: Callable[[T], int], limit: int) -> list[T]:
    """Items evenly spread over all, of about `limit` rows in total: at least one, where there is one."""
    total = sum(map(rows_of, items))
    step = max(1.0, total / limit)
    wanted = max(1, round(len(items) / step))
    return [items[int(i * len(items) / wanted)] for i in range(wanted)] if items else []


Part = tuple[Source, int, int]
"""A row group: its file, its number there, its rows."""


def _row_groups(paths: Sequence[Source]) -> Iterator[Part]:
    import pyarrow.parquet as pq

    for path in paths:
        metadata = pq.ParquetFile(path).metadata
        yield from ((path, group, metadata.row_group(group).num_rows) for group in range(metadata.num_row_groups))


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

    by_file: dict[Source, list[int]] = {}
    for path, group, _ in parts:
        by_file.setdefault(path, []).append(group)
    read = [pq.ParquetFile(path).read_row_groups(groups, columns=list(names)) for path, groups in by_file.items()]
    return pa.concat_tables(read).slice(0, SAMPLE_ROWS)
