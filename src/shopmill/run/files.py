"""The files that an engine reads and writes, and the way between it and the store.

An engine of this machine reads and writes scratch files here. A cluster's reads and writes the store itself; then hashes
come from the cluster, numbers of rows from the footers of the files, and no row comes to this machine but those that a
function in Python asks for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.declaration import Table
from shopmill.engine.choice import open_engine, open_store_engine, works_in_store
from shopmill.engine.protocol import Bound, Engine, Queries, Stored, StoreEngine
from shopmill.engine.splitting import FOLDER, Cut, Parts
from shopmill.errors import StoreError
from shopmill.run.run import Run
from shopmill.run.staging import StagedFile, Staging
from shopmill.versions.manifest import File
from shopmill.versions.store import Store, sha256_of

HASHED_BY_EXECUTORS = 128 * 2**20
"""An executor hashes a file of up to so many bytes, which it holds in memory; a larger one streams through this machine."""


class Files(Protocol):
    """The files that an engine reads and writes."""

    @property
    def engine(self) -> Queries:
        """The engine."""

    def view(self, name: str, keys: Sequence[str], columns: Mapping[str, str], cut: Cut | None = None) -> None:
        """Makes files of the store known to the engine as `name`. An engine may make use of a `cut`."""

    def write(self, query: str, bound: Bound, table: Table, name: str) -> StagedFile:
        """Leaves the ordered result of a query in staging, as the file `name` of a table of the version to come."""

    def write_split(
        self, query: str, bound: Bound, table: Table, label: str, parts: Parts = Parts.MANY
    ) -> list[StagedFile]:
        """Leaves one ordered file of a table in staging for each value of the expression `label`, by which it is named."""

    def bring(self, query: str, bound: Bound, name: str) -> Path:
        """The result of a query as a file of this machine, for a function in Python."""

    def take(self, path: Path, name: str, columns: Mapping[str, str]) -> None:
        """Makes what a function wrote on this machine known to the engine as `name`."""


@contextmanager
def open_files(run: Run, scratch: Path) -> Iterator[Files]:
    """The engine of the run's settings and its files; it ends with the block."""
    if works_in_store(run.settings):
        with open_store_engine(run.settings, scratch) as cluster:
            yield StoreFiles(run.store, run.staging, scratch, cluster)
    else:
        with open_engine(run.settings, scratch) as engine:
            yield LocalFiles(run.store, run.staging, scratch, engine)


@dataclass(frozen=True)
class LocalFiles:
    """Those of an engine of this machine: fetched into scratch, written there, then moved into the store."""

    store: Store
    staging: Staging
    scratch: Path
    engine: Engine

    def view(self, name: str, keys: Sequence[str], columns: Mapping[str, str], cut: Cut | None = None) -> None:
        """A view of files that are here, or are fetched."""
        self.engine.view(name, self.store.fetch(list(keys), self.scratch), columns, cut)

    def write(self, query: str, bound: Bound, table: Table, name: str) -> StagedFile:
        """Written in scratch and moved."""
        path = f"{table.name}/{name}"
        written = self.scratch / path
        return self._adopted(path, written, self.engine.write(query, bound, written, table.types))

    def write_split(
        self, query: str, bound: Bound, table: Table, label: str, parts: Parts = Parts.MANY
    ) -> list[StagedFile]:
        """Written in scratch and moved."""
        folder = self.scratch / table.name
        written = self.engine.write_split(query, bound, folder, label, table.order, parts, table.types)
        return [self._adopted(f"{table.name}/{name}.parquet", path, rows) for name, path, rows in written]

    def _adopted(self, path: str, written: Path, rows: int) -> StagedFile:
        file = File(path, rows, written.stat().st_size, sha256_of(written))
        self.store.adopt(written, key := self.staging.key(path))
        return StagedFile(file, key)

    def bring(self, query: str, bound: Bound, name: str) -> Path:
        """A scratch file."""
        path = self.scratch / name
        self.engine.write(query, bound, path)
        return path

    def take(self, path: Path, name: str, columns: Mapping[str, str]) -> None:
        """A view of the file."""
        self.engine.view(name, [path], columns)


@dataclass(frozen=True)
class StoreFiles:
    """Those of a cluster, which lie in the store from the start.

    Spark writes a folder of files with names of its own. They stay where they are until they are published, for to move
    them would be to copy them.
    """

    store: Store
    staging: Staging
    scratch: Path
    engine: StoreEngine

    def view(
        self,
        name: str,
        keys: Sequence[str],
        columns: Mapping[str, str],
        cut: Cut | None = None,  # noqa: ARG002
    ) -> None:
        """A view of files where they lie."""
        sizes = self._sizes(keys)
        present = self._footer(keys[0]).schema.to_arrow_schema() if keys else pa.schema([])
        stored = [Stored(self.store.uri(key), sizes.get(key, 0)) for key in keys]
        self.engine.view_stored(name, stored, present, columns)

    def _sizes(self, keys: Sequence[str]) -> dict[str, int]:
        inside: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            inside[str(PurePosixPath(key).parent)].append(key)
        found = self.store.each(lambda folder: self.store.sizes(inside[folder], folder), list(inside))
        return {key: size for sizes in found for key, size in sizes.items()}

    def write(self, query: str, bound: Bound, table: Table, name: str) -> StagedFile:
        """Written by one executor."""
        path = f"{table.name}/{name}"
        folder = self._writing(path)
        self.engine.write_below(query, bound, self.store.uri(folder))
        return self._staged({path: folder})[0]

    def write_split(
        self,
        query: str,
        bound: Bound,
        table: Table,
        label: str,
        parts: Parts = Parts.MANY,  # noqa: ARG002
    ) -> list[StagedFile]:
        """Written by all executors, each file by one."""
        folder = self._writing(table.name)
        self.engine.write_split_below(query, bound, self.store.uri(folder), label, table.order)
        names = [name.removeprefix(FOLDER) for name in self.store.folders(folder) if name.startswith(FOLDER)]
        return self._staged({f"{table.name}/{name}.parquet": f"{folder}/{FOLDER}{name}" for name in names})

    def _writing(self, name: str) -> str:
        return self.staging.key(f"written/{name}")

    def _staged(self, folders: Mapping[str, str]) -> list[StagedFile]:
        """The files of the version to come, by path, from the folders that each holds one of them."""
        stored = dict(zip(folders, self.store.each(self._only_file, list(folders.values())), strict=True))
        hashes = self._hashes(list(stored.values()))
        rows = self.store.each(lambda path: self._footer(self._key(stored[path])).num_rows, list(stored))
        return [
            StagedFile(File(path, n, one.bytes, hashes[one.address]), self._key(one))
            for (path, one), n in zip(stored.items(), rows, strict=True)
        ]

    def _only_file(self, folder: str) -> Stored:
        found = [entry for entry in self.store.entries(folder) if entry.key.endswith(".parquet")]
        if len(found) != 1:
            where = self.store.uri(folder)
            raise StoreError(f"Spark left {len(found)} files in {where} where one is expected. Run this step again.")
        return Stored(self.store.uri(found[0].key), found[0].bytes)

    def _key(self, stored: Stored) -> str:
        return stored.address.removeprefix(f"{self.store.url}/")

    def _hashes(self, files: list[Stored]) -> dict[str, str]:
        found = self.engine.hashes([file for file in files if file.bytes <= HASHED_BY_EXECUTORS])
        large = [file for file in files if file.bytes > HASHED_BY_EXECUTORS]
        return found | {file.address: self.store.sha256(self._key(file)) for file in large}

    def _footer(self, key: str) -> pq.FileMetaData:
        return pq.read_metadata(self.store.ranged(key))

    def bring(self, query: str, bound: Bound, name: str) -> Path:
        """Written by an executor, then fetched."""
        folder = self._writing(name)
        self.engine.write_below(query, bound, self.store.uri(folder))
        return self.store.fetch([self._key(self._only_file(folder))], self.scratch)[0]

    def take(self, path: Path, name: str, columns: Mapping[str, str]) -> None:
        """Put into the store, where executors read it."""
        key = self._writing(path.name)
        self.store.adopt(path, key)
        self.view(name, [key], columns)
