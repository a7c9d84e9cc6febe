"""What the columns of a version look like: nulls, distinct values, range, a histogram or the most frequent values.

Computed once per version, with its checks, from about SAMPLE_ROWS rows of each table, and kept beside the manifest as statistics.json.
It is no part of what a version is: the id does not hash it, and another way to count changes no version.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shopmill.errors import DamagedError, StoreError
from shopmill.personal import is_personal
from shopmill.versions.cache import local
from shopmill.versions.column_statistics import Bar, ColumnStatistics, describe_column
from shopmill.versions.layout import STATISTICS
from shopmill.versions.manifest import Manifest
from shopmill.versions.sampling import (
    SAMPLE_ROWS,
    Fetch,
    Part,
    TableFiles,
    evenly,
    rows_of,
    rows_of_day,
    sample,
)
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

log = logging.getLogger(__name__)
FORM = 2  # of the document: another number is computed again
COLUMNS_AT_ONCE = 32
"""So many columns are read of a file that is opened: each alone would open a table of many days as often as it has columns."""


@dataclass(frozen=True)
class TableStatistics:
    """The columns of one table, of `sampled` of its `rows`."""

    rows: int
    sampled: int
    columns: tuple[ColumnStatistics, ...]
    newest: "TableStatistics | None" = None
    """Those of its newest day, of a table that has a history: in it a change of today is a drop in the sea."""

    def column(self, name: str) -> ColumnStatistics | None:
        """What one column looks like, where it is known."""
        return next((column for column in self.columns if column.name == name), None)


Statistics = dict[str, TableStatistics]


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
    return _kept_under(versions.store, _key(versions, manifest))


def _key(versions: Versions, manifest: Manifest) -> str:
    return f"{versions.folder(manifest)}/{STATISTICS}"


def _kept_under(store: Store, key: str) -> Statistics | None:
    try:
        return statistics_in(store.read_json(key))
    except (DamagedError, FileNotFoundError, AttributeError, KeyError, TypeError, ValueError):
        return None


def has_people(store: Store, key: str) -> bool:
    """Whether the statistics under a key have values of people, as those of older code may."""
    try:
        document = store.read_json(key)
        tables = [one for table in document["tables"].values() for one in (table, table.get("newest")) if one]
        columns = [_as_kept(column) for table in tables for column in table["columns"]]
    except (DamagedError, FileNotFoundError, AttributeError, KeyError, TypeError, ValueError):
        return False
    return any(column.without_people != column for column in columns)


def keep_without_people(store: Store, key: str) -> None:
    """Writes the statistics under a key again, without values of people; those in a form of before go."""
    if (kept := _kept_under(store, key)) is not None:
        _keep_under(store, key, kept)
    else:
        store.delete_keys([key])


def keep_statistics(versions: Versions, manifest: Manifest, found: Statistics) -> None:
    """Writes statistics beside a manifest, where the store may be written."""
    _keep_under(versions.store, _key(versions, manifest), found)


def _keep_under(store: Store, key: str, found: Statistics) -> None:
    try:
        store.write(key, to_json(document_of(found)))
    except StoreError as error:  # who only reads computes them again
        log.info("Statistics are not kept: %s", error)


def document_of(found: Statistics) -> dict[str, Any]:
    """Statistics as JSON."""
    return {"form": FORM, "tables": {name: _document(table) for name, table in found.items()}}


def _document(table: TableStatistics) -> dict[str, Any]:
    """As `asdict` gives it, which copies every value."""
    newest = _document(table.newest) if table.newest else None
    return {**vars(table), "columns": [_column_document(column) for column in table.columns], "newest": newest}


def _column_document(column: ColumnStatistics) -> dict[str, Any]:
    return {**vars(column), **{name: [vars(bar) for bar in getattr(column, name)] for name in ("histogram", "top")}}


def statistics_in(document: dict[str, Any]) -> Statistics:
    """The reverse of `document_of`; ValueError for another form."""
    if document["form"] != FORM:
        raise ValueError(document["form"])
    return {name: _table(table) for name, table in document["tables"].items()}


def _table(document: dict[str, Any]) -> TableStatistics:
    newest = document.get("newest")
    columns = tuple(map(_column, document["columns"]))
    return TableStatistics(document["rows"], document["sampled"], columns, _table(newest) if newest else None)


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


def _describe_columns(parts: Sequence[Part], names: Sequence[str]) -> Iterator[ColumnStatistics]:
    if not parts:
        yield from (ColumnStatistics(name, 0, personal=is_personal(name)) for name in names)
        return
    for first in range(0, len(names), COLUMNS_AT_ONCE):
        some = names[first : first + COLUMNS_AT_ONCE]
        rows = rows_of(parts, some)
        yield from (describe_column(name, rows.column(name)) for name in some)


def describe_day(table: TableFiles, column: str, day: date, fetch: Fetch) -> TableStatistics:
    """The statistics of the rows whose `column` is a day."""
    rows = rows_of_day(table, column, day, fetch)
    if not rows:
        return TableStatistics(0, 0, ())
    some = rows.take(evenly(rows.num_rows, SAMPLE_ROWS)) if rows.num_rows > SAMPLE_ROWS else rows
    columns = tuple(describe_column(name, some.column(name)) for name in table.columns)
    return TableStatistics(rows.num_rows, some.num_rows, columns)
