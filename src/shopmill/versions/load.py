"""Reading a published version: its files, and its tables as Arrow, pandas, Polars or DuckDB."""

from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Version:
    """A published version of a dataset, opened for reading. Its files never change."""

    def __init__(self, name: str, as_of: str | None, settings: Settings):
        self._store = Store(settings.store)
        self._versions = Versions(self._store, name, settings.zone)
        self.manifest: Manifest = self._versions.need(AsOf.parse(as_of, settings.zone) if as_of else None)
        self.version, self.as_of = self.manifest.version, self.manifest.as_of
        self.tables = self.manifest.tables

    def __repr__(self) -> str:
        return (
            f"<shopmill {self.manifest.dataset} as of {self.as_of}, version {self.version}: {', '.join(self.tables)}>"
        )

    @property
    def path(self) -> str:
        """Where the version is, for other programs: a folder with one folder of Parquet files per table."""
        return self._store.uri(self._versions.folder(self.manifest))

    def files(self, table: str | None = None) -> list[Path]:
        """Local Parquet files of a table (by default the dataset's main one); an object store's are downloaded once."""
        return self._fetched(self._table(table))

    def artifact(self, name: str) -> dict[str, Path]:
        """Local paths of the files of an artifact, such as the matrix `tfidf`, by file name."""
        if name not in self.manifest.artifacts:
            has = ", ".join(self.manifest.artifacts) or "none"
            raise InvalidInputError(f"{self.manifest.dataset} has no artifact {name!r}; it has {has}.")
        return {path.name: path for path in self._fetched(name)}

    def _fetched(self, name: str) -> list[Path]:
        keys = self._versions.keys_of(self.manifest, name)
        return self._store.fetch(keys, Path(gettempdir()) / "shopmill-cache" / self.version)

    def _table(self, name: str | None) -> str:
        return self.manifest.need(name or str(self.manifest.content["main_table"]))

    def to_arrow(self, table: str | None = None) -> "pa.Table":
        """A table as Arrow."""
        import pyarrow.parquet as pq

        return pq.read_table([str(file) for file in self.files(table)], partitioning=None)

    def to_pandas(self, table: str | None = None) -> "pd.DataFrame":
        """A table as pandas; needs pandas."""
        frame: pd.DataFrame = self.to_arrow(table).to_pandas()
        return frame

    def to_polars(self, table: str | None = None) -> "pl.DataFrame":
        """A table as Polars; needs polars."""
        import polars as pl

        return pl.read_parquet(self.files(table), hive_partitioning=False)

    def to_duckdb(
        self, table: str | None = None, connection: "duckdb.DuckDBPyConnection | None" = None
    ) -> "duckdb.DuckDBPyRelation":
        """A table as a lazy DuckDB relation, for tables larger than memory."""
        import duckdb

        files = [str(file) for file in self.files(table)]
        # The folders as_of=… and version=… are not columns.
        read = connection.read_parquet if connection else duckdb.read_parquet
        return read(files, hive_partitioning=False)
