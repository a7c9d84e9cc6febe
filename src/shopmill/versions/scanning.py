"""Reading no more of a table than is asked for: some columns, some rows, of files in a folder or on S3.

What is asked for goes down into Parquet: columns that are not named, and row groups whose statistics rule them out, are
not read; on S3 what is read is fetched by ranges.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from shopmill.errors import InvalidInputError, StoreError, did_you_mean

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.fs import S3FileSystem

ROWS_PER_BATCH = 65_536
MANY = 20
"""So many columns a message names at most."""


@dataclass(frozen=True)
class Scan:
    """The Parquet files of one table, `where` an SQL condition on its columns."""

    name: str
    """The table, as messages name it."""
    files: tuple[str, ...]
    """Paths, or addresses that begin with s3://."""
    columns: tuple[str, ...] | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if self.columns is not None:
            self._refuse_unknown(self.columns, self.schema.names)

    def _refuse_unknown(self, columns: Sequence[str], known: Sequence[str]) -> None:
        if not columns:
            raise InvalidInputError(f"columns is empty: name a column of {self.name}, or leave columns out.")
        if wrong := [name for name in columns if name not in known]:
            has = ", ".join(known[:MANY]) + (f" and {len(known) - MANY} more" if len(known) > MANY else "")
            meant = did_you_mean(str(wrong[0]), known)
            raise InvalidInputError(f"{self.name} has no column {wrong[0]!r}; it has {has}.{meant}")
        if twice := [name for name, times in Counter(columns).items() if times > 1]:
            raise InvalidInputError(f"columns names {twice[0]!r} twice: a frame has a column of a name once.")

    @property
    def is_remote(self) -> bool:
        """Whether the files are on S3."""
        return any("://" in file for file in self.files)

    @cached_property
    def dataset(self) -> "ds.Dataset":
        """All columns and rows, as pyarrow scans them."""
        import pyarrow.dataset as ds

        if self.is_remote:
            paths = [file.split("://", 1)[1] for file in self.files]
            with _explained(self.name):
                return ds.dataset(paths, format="parquet", filesystem=_s3())
        return ds.dataset(list(self.files), format="parquet")

    @cached_property
    def schema(self) -> "pa.Schema":
        """The columns of the table."""
        return self.dataset.schema

    @property
    def _names(self) -> list[str]:
        return list(self.columns) if self.columns is not None else self.schema.names

    def arrow(self) -> "pa.Table":
        """The rows, in the order of the files."""
        import pyarrow as pa

        if self.where is None:
            with _explained(self.name):
                return self.dataset.to_table(columns=self._names)
        with _explained(self.name), _conditioned(self.where, self.name):
            found = self.relation(own_connection()).to_arrow_table()
        return found.cast(pa.schema([self.schema.field(name) for name in self._names]))

    def batches(self, rows: int = ROWS_PER_BATCH) -> "Iterator[pa.RecordBatch]":
        """The same, as a stream."""
        if rows < 1:
            raise InvalidInputError(f"rows={rows} is no size of a batch: give 1 or more.")
        if self.where is None:
            yield from self.dataset.scanner(columns=self._names, batch_size=rows).to_batches()
        else:
            with _conditioned(self.where, self.name):
                yield from self.relation(own_connection()).to_arrow_reader(rows)

    def relation(self, connection: "duckdb.DuckDBPyConnection") -> "duckdb.DuckDBPyRelation":
        """A lazy relation of DuckDB."""
        found = self._whole(connection)
        if self.where is not None:
            with _conditioned(self.where, self.name):
                found = found.filter(self.where)
        return found.project(*map(_quoted, self.columns)) if self.columns is not None else found

    def _whole(self, connection: "duckdb.DuckDBPyConnection") -> "duckdb.DuckDBPyRelation":
        if self.is_remote:  # DuckDB's own S3 client is an extension that has to be downloaded
            return connection.from_arrow(self.dataset)
        # The folders as_of=… and version=… are not columns.
        return connection.read_parquet(list(self.files), hive_partitioning=False)

    def lazy(self) -> "pl.LazyFrame":
        """A lazy frame of Polars, without its rows read."""
        import polars as pl

        options = _polars_options() if self.is_remote else None
        return pl.scan_parquet(list(self.files), glob=False, hive_partitioning=False, storage_options=options)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def own_connection() -> "duckdb.DuckDBPyConnection":
    """A connection of the caller's own to the one DuckDB of this process: to start another takes longer than many a query.

    The connection that DuckDB itself shares in a process may be in the middle of somebody's query, and then refuses others.
    """
    return _duckdb().cursor()


@cache
def _duckdb() -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(config={"autoinstall_known_extensions": False, "TimeZone": "UTC"})


@contextmanager
def _conditioned(where: str | None, name: str) -> Iterator[None]:
    """A condition that cannot be planned, or fails on the values that it meets."""
    import duckdb

    try:
        yield
    except (duckdb.ProgrammingError, duckdb.NotSupportedError, duckdb.DataError) as error:
        raise InvalidInputError(
            f"where={where!r} is no condition on {name}: {str(error).strip().splitlines()[0].rstrip('.!')}. "
            "Write SQL on its columns, such as \"units > 0 and ds >= date '2020-09-01'\"."
        ) from None


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"The files of {name} cannot be read: {str(error).strip().splitlines()[0]}.") from error


def _s3() -> "S3FileSystem":
    """Credentials are found as everywhere: in the environment, or what the machine provides."""
    from pyarrow.fs import S3FileSystem

    scheme, _, host = os.environ.get("AWS_ENDPOINT_URL", "").partition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return S3FileSystem(region=region, endpoint_override=host or None, scheme=scheme or None)


def _polars_options() -> dict[str, str]:
    """What Polars does not read from the environment by itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    options = {"aws_endpoint_url": endpoint} if endpoint else {}
    return options | ({"aws_allow_http": "true"} if endpoint.startswith("http://") else {})
