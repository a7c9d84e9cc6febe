"""All Parquet files of a store that may name people: raw files, and each distinct file of the versions once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.errors import DamagedError
from shopmill.source.snapshot import UNDATED
from shopmill.trust.erasure.person import kinds_in
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

CACHE = "embeddings"


@dataclass(frozen=True)
class Holding:
    """A Parquet file: where it lies, and the table of the shop, or the dataset and table, whose rows it has."""

    key: str
    table: str
    dataset: str = ""
    sha256: str = ""

    @property
    def day(self) -> str:
        """The day of a raw file, as its snapshot says it."""
        folder = self.key.split("/")[-2]
        return folder.removeprefix("day=") if folder.startswith("day=") else ""

    @property
    def is_dated(self) -> bool:
        """Whether a raw file has rows of a day."""
        return self.day not in {"", UNDATED}


@dataclass(frozen=True)
class Holdings:
    """What a store has. Files of an object store are downloaded into `scratch`, each once."""

    store: Store
    zone: ZoneInfo
    scratch: Path
    left_out: dict[str, str] | None = None
    """Where it is noted what cannot be read, and why, by key; without it that is the end."""

    @cached_property
    def raw(self) -> list[Holding]:
        """The raw files, those that no snapshot names as well."""
        keys = [key for key in self.store.keys(layout.RAW) if key.endswith(".parquet")]
        return [Holding(key, key.split("/")[1]) for key in keys]

    @cached_property
    def datasets(self) -> list[str]:
        """The datasets that have versions, whether or not the code knows them still."""
        return [
            name
            for name in self.store.folders("")
            if any(folder.startswith("as_of=") for folder in self.store.folders(name))
        ]

    def versions(self, dataset: str) -> Versions:
        """The versions of a dataset."""
        return Versions(self.store, dataset, self.zone)

    @cached_property
    def manifests(self) -> dict[str, list[Manifest]]:
        """Every version by dataset; DamagedError where one cannot be read, and so could keep a person."""
        return {dataset: list(self._manifests(dataset)) for dataset in self.datasets}

    @property
    def folders(self) -> set[str]:
        """The folders of all versions."""
        return {
            self.versions(dataset).folder(one) for dataset, all_of_it in self.manifests.items() for one in all_of_it
        }

    def _each(self, dataset: str) -> Iterable[Manifest]:
        """Every version of a dataset: one at a time, unless all are kept already."""
        return self.manifests[dataset] if "manifests" in vars(self) else self._manifests(dataset)

    def _manifests(self, dataset: str) -> Iterator[Manifest]:
        for key in self._keys(dataset):
            with self._noted(key):
                yield self._manifest(dataset, key)

    @contextmanager
    def _noted(self, key: str) -> Iterator[None]:
        try:
            yield
        except DamagedError as error:
            if self.left_out is None:
                raise
            self.left_out[key] = str(error)

    def _keys(self, dataset: str) -> list[str]:
        return layout.manifests(self.store.keys(dataset))

    def _manifest(self, dataset: str, key: str) -> Manifest:
        return self.versions(dataset).manifests.under(key)

    @cached_property
    def published(self) -> list[Holding]:
        """The files of tables, of those with the same bytes one."""
        found: dict[str, Holding] = {}
        for dataset in self.datasets:
            versions = self.versions(dataset)
            for manifest in self._each(dataset):
                folder = versions.folder(manifest)
                for table in manifest.tables:
                    for one in manifest.files(table):
                        if one.sha256 not in found:
                            found[one.sha256] = Holding(f"{folder}/{one.path}", table, dataset, one.sha256)
        return list(found.values())

    @property
    def cached_vectors(self) -> list[str]:
        """The files of the cache of embeddings."""
        return [key for key in self.store.keys(CACHE) if key.endswith(".parquet")]

    @contextmanager
    def opened(self, holding: Holding) -> Iterator[Path]:
        """A local path of a file, to be read within the block; DamagedError where that cannot be done."""
        try:
            [path] = self.store.fetch([holding.key], self.scratch)
            pq.read_schema(path)
            yield path
        except (OSError, pa.ArrowException):
            raise DamagedError(
                f"{self.store.uri(holding.key)} cannot be read, so nobody can say whom it names: run `shopmill repair`, "
                "or `shopmill gc --delete` where nothing needs it, then erase again."
            ) from None

    def path(self, holding: Holding) -> Path:
        """A local path of a file; DamagedError where it is not there or is no Parquet file."""
        with self.opened(holding) as path:
            return path

    def rows(self, holding: Holding, wanted: Callable[[list[str]], list[str]]) -> Iterator[pa.RecordBatch]:
        """Those columns of a file that are wanted, in batches; nothing where there are none."""
        with self._noted(holding.key), self.opened(holding) as path, pq.ParquetFile(path) as file:
            if columns := wanted(file.schema_arrow.names):
                yield from file.iter_batches(columns=columns)

    def naming(self) -> Iterator[Holding]:
        """The files with a column that can make a row somebody's."""
        for holding in (*self.raw, *self.published):
            with self.opened(holding) as path:
                names = pq.read_schema(path).names
            if kinds_in(names):
                yield holding
