"""A version as an exporter sees it: its tables by name in a DuckDB that keeps within little memory, whatever their size."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.declaration import Value
from shopmill.engine.identifiers import quote
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.versions.load import Version
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY = "768MB"
"""What DuckDB may hold before it spills: the rest of 2 GiB is Python's, and the files' that are read."""
ROWS = 65_536
PARQUET = "(format parquet, compression zstd, row_group_size 122880)"


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

    def need(self, table: str, *columns: str) -> str:
        """The name of a table, known to the connection from now on; InvalidInputError where the version is older than it."""
        described = self.manifest.content["tables"].get(table)
        has = {column["name"] for column in described["columns"]} if described else set()
        if described is None or (lacking := sorted(set(columns) - has)):
            raise self.too_old(f"column {lacking[0]!r} in {table}" if described else f"table {table!r}")
        self.version.to_duckdb(table, self.connection).create_view(table, replace=True)
        return quote(table)

    def too_old(self, lacks: str) -> InvalidInputError:
        """What to say where the version is older than something that the export needs."""
        dataset, as_of = self.manifest.dataset, self.version.as_of
        return InvalidInputError(
            f"{dataset} as of {as_of}, version {self.version.version}, has no {lacks}: it is older than that. "
            f"Publish it again: `shopmill run {dataset} --as-of {as_of}`."
        )

    def beside(self, dataset: str, table: str) -> bool:
        """Makes a table of another dataset known as `<dataset>__<table>`: of the version at this as_of, or the newest before.

        Says whether there is one.
        """
        versions = Versions(Store(self.settings.store), dataset, self.settings.zone)
        found = versions.at(self.as_of) or versions.before(self.as_of)
        if found is None or table not in found.tables:
            return False
        relation = Version(dataset, found.as_of, self.settings).to_duckdb(table, self.connection)
        relation.create_view(f"{dataset}__{table}", replace=True)
        return True

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
            source = Source(version, settings, options, connection)
            try:
                yield source
            except duckdb.BinderException as error:
                if column := _declared_column(version.manifest.dataset, str(error)):
                    raise source.too_old(f"column {column!r}") from error
                raise


def _declared_column(dataset: str, error: str) -> str | None:
    """The column that a query did not find, where the dataset has it today."""
    found = re.search(r'column "(\w+)" not found', error)
    declared = {column.name for table in datasets.load(dataset).tables for column in table.columns}
    return found[1] if found and found[1] in declared else None
