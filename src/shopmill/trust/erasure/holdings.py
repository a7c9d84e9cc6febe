"""All Parquet files of a store that may name people: raw files, and each distinct file of the versions once."""

from collections import Counter
from collections.abc import Callable, Iterator
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
from shopmill.trust.outline import Outline, Outlines
from shopmill.versions import layout
from shopmill.versions.index import Name
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

    @property
    def folders(self) -> set[str]:
        """The folders of all versions."""
        return {layout.folder_of_version(key) for dataset in self.datasets for key in self._keys[dataset]}

    def named(self, dataset: str) -> Iterator[tuple[Name, str]]:
        """Every version of a dataset, and the key of its manifest."""
        versions = self.versions(dataset)
        for key in self._keys[dataset]:
            yield (dataset, *versions.name_of(layout.folder_of_version(key))), key

    def _each(self, dataset: str) -> Iterator[tuple[str, Outline]]:
        """Every version of a dataset, with its folder, one at a time; DamagedError where one cannot be read, and so could keep a person."""
        outlines = Outlines(self.versions(dataset))
        for key in self._keys[dataset]:
            with self._noted(key):
                yield layout.folder_of_version(key), outlines.under(key)

    @contextmanager
    def _noted(self, key: str) -> Iterator[None]:
        try:
            yield
        except DamagedError as error:
            if self.left_out is None:
                raise
            self.left_out[key] = str(error)

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        """The keys of the manifests of each dataset."""
        return {dataset: layout.manifests(self.store.keys(dataset)) for dataset in self.datasets}

    @property
    def published(self) -> list[Holding]:
        """The files of tables, of those with the same bytes one."""
        return list(self._published[0].values())

    @property
    def copies(self) -> Counter[tuple[str, str]]:
        """How often the versions of a dataset have a file, by the dataset and the hash of the file."""
        return self._published[1]

    @cached_property
    def _published(self) -> tuple[dict[str, Holding], Counter[tuple[str, str]]]:
        found: dict[str, Holding] = {}
        copies: Counter[tuple[str, str]] = Counter()
        for dataset in self.datasets:
            for folder, outline in self._each(dataset):
                copies.update((dataset, file.sha256) for file in outline.files)
                for table, one in outline.by_table:
                    if one.sha256 not in found:
                        found[one.sha256] = Holding(f"{folder}/{one.path}", table, dataset, one.sha256)
        return found, copies

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
