"""A version as an exporter sees it: its tables by name in a DuckDB that keeps within little memory, whatever their size."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.asof import AsOf
from shopmill.declaration import Value
from shopmill.engine.splitting import ROW_GROUP
from shopmill.settings import Settings
from shopmill.versions.load import Version, too_old
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY = "768MB"
"""What DuckDB may hold before it spills: the rest of 2 GiB is Python's, and the files' that are read."""
ROWS = 65_536
PARQUET = f"(format parquet, compression zstd, row_group_size {ROW_GROUP})"


@dataclass(frozen=True)
class Source:
    """One version to export, and the options of its export."""

    version: Version
    settings: Settings
    options: Mapping[str, Value]
    connection: "duckdb.DuckDBPyConnection"

    @property
    def manifest(self) -> Manifest:
        """The manifest of the version."""
        return self.version.manifest

    @property
    def as_of(self) -> AsOf:
        """The moment that the version is true for."""
        return AsOf.parse(self.version.as_of, self.settings.zone)

    def need(self, table: str, *columns: str) -> None:
        """Makes a table known to the connection, with these columns alone, so that an export names all that it uses.

        Without columns, whatever the version has. InvalidInputError where the version is older than the table, or than a column.
        """
        if table not in self.version.tables:
            raise too_old(self.version, f"table {table!r}")
        has = columns_of(self.manifest, table)
        if lacking := next((column for column in columns if column not in has), None):
            raise too_old(self.version, f"column {lacking!r} in {table}")
        self.version.to_duckdb(table, self.connection, columns or None).create_view(table, replace=True)

    def beside(self, dataset: str, table: str, key: str, *columns: str) -> tuple[str, ...]:
        """Makes a table of another dataset known as `<dataset>__<table>`: of the version at this as_of, or the newest before.

        Gives those of the columns that it has, beside the key. None where there is no such version, or it is older than all.
        """
        versions = Versions(Store(self.settings.store), dataset, self.settings.zone)
        found = versions.at(self.as_of) or versions.before(self.as_of)
        if found is None or table not in found.tables:
            return ()
        has = columns_of(found, table)
        chosen = tuple(column for column in columns if column in has)
        relation = Version(dataset, found.as_of, self.settings).to_duckdb(table, self.connection, [key, *chosen])
        relation.create_view(f"{dataset}__{table}", replace=True)
        return chosen

    def rows(self, query: str, **bound: Any) -> list[dict[str, Any]]:
        """The few rows of a query."""
        result = self.connection.execute(query, bound or None)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def value(self, query: str, **bound: Any) -> Any:
        """The only value of a query."""
        (row,) = self.rows(query, **bound)
        return next(iter(row.values()))

    def batches(self, query: str, **bound: Any) -> "Iterator[pa.RecordBatch]":
        """The rows of a query as a stream."""
        yield from self.connection.sql(query, params=bound or None).to_arrow_reader(ROWS)

    def write_parquet(self, query: str, path: Path, **bound: Any) -> int:
        """The rows of a query as one Parquet file; returns their number."""
        return self._copy(query, path, PARQUET, bound)

    def write_text(self, query: str, path: Path, form: str, **bound: Any) -> int:
        """The rows of a query as text in a `form` of DuckDB's COPY, such as `(format csv)`; returns their number."""
        return self._copy(query, path, form, bound)

    def _copy(self, query: str, path: Path, form: str, bound: Mapping[str, Any]) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = str(path).replace("'", "''")
        copied = self.connection.execute(f"copy ({query}) to '{target}' {form}", dict(bound) or None).fetchone()
        return int(copied[0]) if copied else 0

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters that the version was made with."""
        found: Mapping[str, Any] = self.manifest.content["parameters"]
        return found


@contextmanager
def open_source(version: Version, settings: Settings, options: Mapping[str, Value]) -> Iterator[Source]:
    """The version with a DuckDB of its own, which is closed at the end of the block."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="shopmill-export-", dir=settings.work_folder) as scratch:
        config: dict[str, Any] = {
            "threads": settings.threads,
            "memory_limit": MEMORY,
            "temp_directory": scratch,
            "autoinstall_known_extensions": False,
            "TimeZone": "UTC",
        }
        with duckdb.connect(config=config) as connection:
            yield Source(version, settings, options, connection)


def columns_of(manifest: Manifest, table: str) -> set[str]:
    """The columns that a version has of a table."""
    return {column["name"] for column in manifest.content["tables"][table]["columns"]}
