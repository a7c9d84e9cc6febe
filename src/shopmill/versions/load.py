"""Reading a published version: its files, and its tables as Arrow, pandas, Polars or DuckDB."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.versions.cache import local
from shopmill.versions.layout import manifest_in
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import refuse
from shopmill.versions.scanning import ROWS_PER_BATCH, Scan
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    import pyarrow.dataset as ds

    from shopmill.versions.frames import ColumnFacts


def _written(as_of: str | date, zone: ZoneInfo) -> str:
    """An as_of as it is written. The midnight of a day, as pandas and databases give days, is the day."""
    if isinstance(as_of, datetime):
        local = as_of.astimezone(zone) if as_of.tzinfo else as_of
        return str(local.date()) if local.time() == time() else str(as_of)
    return str(as_of)


class Version:
    """A published version of a dataset, opened for reading. Its files never change."""

    def __init__(
        self, name: str, as_of: str | date | None, settings: Settings, verify: bool = False, version: str | None = None
    ):
        self._verify, self._whole = verify, set[str]()
        self._store = Store(settings.store)
        self._versions = Versions(self._store, name, settings.zone)
        at = None if as_of is None else self._moment(as_of)
        self.manifest: Manifest = self._exactly(at, version) if at and version else self._versions.need(at)
        self.version, self.as_of = self.manifest.version, self.manifest.as_of
        self.tables = self.manifest.tables

    def __repr__(self) -> str:
        return (
            f"<shopmill {self.manifest.dataset} as of {self.as_of}, version {self.version}: {', '.join(self.tables)}>"
        )

    def _moment(self, as_of: str | date) -> AsOf:
        """The as_of that is meant. The midnight of a day is the day, unless there is a version of that moment: of a dataset
        that runs within the day.
        """
        zone = self._versions.zone
        written = _written(as_of, zone)
        day = AsOf.parse(written, zone)
        if not (isinstance(as_of, datetime) and as_of.tzinfo) or written == str(as_of):
            return day  # nothing else can be meant, and nothing is listed
        moment = AsOf.parse(str(as_of), zone)
        return moment if moment.label in {one.label for one in self._versions.as_ofs()} else day

    def _exactly(self, as_of: AsOf, version: str) -> Manifest:
        """The manifest of a version by its id, whether another one has taken its place or it was withdrawn."""
        try:
            return self._versions.exactly(as_of.label, version)
        except FileNotFoundError:
            current = self._versions.need(as_of)
            raise InvalidInputError(
                f"{current.dataset} as of {as_of.label} has no version {version} in {self._store.url}; "
                f"the current one is {current.version}."
            ) from None

    @property
    def path(self) -> str:
        """Where the version is, for other programs: a folder with one folder of Parquet files per table."""
        return self._store.uri(self._versions.folder(self.manifest))

    @property
    def published_at(self) -> datetime:
        """When the version appeared in the store (UTC). No part of what it is."""
        folder = self._versions.folder(self.manifest)
        return next(e.modified for e in self._store.entries(folder) if e.key == manifest_in(folder))

    def files(self, table: str | None = None) -> list[Path]:
        """Local Parquet files of a table (by default the dataset's main one); an object store's are downloaded once."""
        return self._fetched(self._table(table))

    def addresses(self, table: str | None = None) -> list[str]:
        """Where the files of a table are: paths, or on an object store s3:// addresses."""
        return [self._store.uri(key) for key in self._versions.keys_of(self.manifest, self._table(table))]

    def artifact(self, name: str) -> dict[str, Path]:
        """Local paths of the files of an artifact, such as the matrix `tfidf`, by file name."""
        if name not in self.manifest.artifacts:
            has = ", ".join(self.manifest.artifacts) or "none"
            raise InvalidInputError(f"{self.manifest.dataset} has no artifact {name!r}; it has {has}.")
        return {path.name: path for path in self._fetched(name)}

    def _fetched(self, name: str) -> list[Path]:
        """Files whose size is that of the manifest; those of an object store are downloaded, and their hashes checked."""
        keys = self._versions.keys_of(self.manifest, name)
        self._refuse_damage(name)
        return local(self._store, keys, self.manifest.files(name), self.version, self._verify)

    def _refuse_damage(self, name: str) -> None:
        """Looks at a table or artifact once: at sizes, and with `verify` at every byte."""
        if name not in self._whole:
            hashes = self._verify and self._store.root is not None  # those of others are checked where they arrive
            found = self._versions.faults(self.manifest, name, hashes)
            again = f"shopmill run {self.manifest.dataset} --as-of {self.as_of}"
            refuse(self._store, found, f"Run `shopmill repair`, or `{again}`.")
            self._whole.add(name)

    def _table(self, name: str | None) -> str:
        return self.manifest.need(name or str(self.manifest.content["main_table"]))

    def to_arrow(
        self, table: str | None = None, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pa.Table":
        """A table as Arrow, exactly as published; by default all columns and rows.

        `where` is an SQL condition on the table's columns, in DuckDB's dialect. Only what it and `columns` ask for is
        read. So everywhere below.
        """
        return self._scan(table, columns, where).arrow()

    def to_pandas(
        self,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        exact: bool = False,
    ) -> "pd.DataFrame":
        """A table as pandas, in the types that libraries expect; needs pandas.

        Dates are datetime64[ns], decimals float64 (`exact=True` keeps them), numbers that may be null pandas' nullable
        integers, texts of few values categories. Vectors are float32 arrays: see `to_numpy` for the matrix.
        """
        from shopmill.versions.frames import to_frame

        return to_frame(self.to_arrow(table, columns, where), self._facts(table), exact)

    def to_polars(
        self, table: str | None = None, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pl.DataFrame":
        """A table as Polars, exactly as published; needs polars."""
        import polars as pl

        return pl.DataFrame(pl.from_arrow(self.to_arrow(table, columns, where)))

    def to_numpy(self, column: str, table: str | None = None, where: str | None = None) -> "np.ndarray":
        """One column as NumPy: vectors as one float32 matrix with a row each; needs numpy, and pandas for other columns.

        Numbers that may be null are float64, for NumPy has no other missing number, and moments are in UTC.
        """
        from shopmill.versions.frames import is_vector, to_array, to_frame, to_matrix

        found = self.to_arrow(table, [column], where)
        if is_vector(found.schema.field(column).type):
            return to_matrix(found.column(column), column)
        return to_array(to_frame(found, self._facts(table))[column])

    def to_duckdb(
        self,
        table: str | None = None,
        connection: "duckdb.DuckDBPyConnection | None" = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
    ) -> "duckdb.DuckDBPyRelation":
        """A table as a lazy DuckDB relation, for tables larger than memory."""
        import duckdb

        return self._scan(table, columns, where, lazily=True).relation(connection or duckdb.default_connection())

    def scan(self, table: str | None = None) -> "pl.LazyFrame":
        """A table as a lazy Polars frame: only what its query asks for is read; needs polars."""
        return self._scan(table, lazily=True).lazy()

    def to_dataset(self, table: str | None = None) -> "ds.Dataset":
        """A table as a pyarrow dataset, to scan in batches with columns and filters."""
        return self._scan(table, lazily=True).dataset

    def batches(
        self,
        table: str | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        rows: int = ROWS_PER_BATCH,
    ) -> "Iterator[pa.RecordBatch]":
        """A table as a stream of Arrow batches of about so many rows, in its order."""
        return self._scan(table, columns, where, lazily=True).batches(rows)

    def _scan(
        self,
        table: str | None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        lazily: bool = False,
    ) -> Scan:
        """Whole tables come from files that are fetched and verified; of a part of one on S3 only its ranges are read."""
        name = self._table(table)
        if isinstance(columns, str):
            raise InvalidInputError(f"columns={columns!r} is a text: give a list, such as [{columns!r}].")
        in_place = lazily or columns is not None or where is not None
        self._refuse_damage(name)
        files = self.addresses(name) if in_place else [str(file) for file in self._fetched(name)]
        label = f"{self.manifest.dataset} {name}"
        return Scan(label, tuple(files), None if columns is None else tuple(columns), where)

    def _facts(self, table: str | None) -> "dict[str, ColumnFacts]":
        from shopmill.versions.frames import ColumnFacts

        return ColumnFacts.of(self.manifest.content["tables"][self._table(table)])


def too_old(version: Version, lacks: str) -> InvalidInputError:
    """What to say where a version is older than something that is needed of it."""
    name, as_of = version.manifest.dataset, version.as_of
    return InvalidInputError(
        f"{name} as of {as_of}, version {version.version}, has no {lacks}: it is older than that. "
        f"Publish it again: `shopmill run {name} --as-of {as_of}`."
    )
