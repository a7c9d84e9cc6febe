"""The staging area of a run: what its steps leave in the store for later steps, which may run on another machine.

Each document has one method that writes it and one that reads it. Reading one that no step has left yet raises
FileNotFoundError.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from shopmill.errors import DamagedError
from shopmill.run.checks import Result
from shopmill.run.published import Published
from shopmill.source.snapshot import Snapshot
from shopmill.versions.accounts import Account
from shopmill.versions.layout import STAGING, staging_of
from shopmill.versions.manifest import File, Pin
from shopmill.versions.statistics import Statistics, document_of, statistics_in
from shopmill.versions.store import Entry, Store, to_json

PREVIOUS, UPSTREAM, ERASURES = "previous", "upstream", "erasures"


def _inputs(task: str) -> str:
    return f"inputs/{task}"


@dataclass(frozen=True)
class StagedFile:
    """A file of the version to come, and the store key where its bytes are: in staging, or in the previous version."""

    file: File
    key: str


@dataclass(frozen=True)
class Extent:
    """What an incremental run computes: from the day `computed` on, as raw rows differ from the day `changed` on.

    A full rebuild has neither.
    """

    changed: date | None = None
    computed: date | None = None


@dataclass(frozen=True)
class Counts:
    """What was counted beside the checks: where rows went, changes by asset to announce, measures by name."""

    accounts: tuple[Account, ...] = ()
    announced: Mapping[str, int] = field(default_factory=dict)
    measured: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Staging:
    """The staging area of one run of one dataset."""

    store: Store
    dataset: str
    run_id: str

    @property
    def folder(self) -> str:
        """The key prefix of all that is staged."""
        return staging_of(self.dataset, re.sub(r"[^A-Za-z0-9_.=-]", "_", self.run_id))

    def key(self, path: str) -> str:
        """The store key of a staged file."""
        return f"{self.folder}/{path}"

    def has(self, key: str) -> bool:
        """Whether a store key is a file of this area: others were taken over from the previous version."""
        return key.startswith(f"{self.folder}/")

    def clear(self) -> None:
        """Deletes all that is staged."""
        self.store.delete(self.folder)

    def write_inputs(self, task: str, snapshots: Mapping[str, Snapshot]) -> None:
        """Leaves the snapshots that an extract task found."""
        self._write(_inputs(task), {name: asdict(snapshot) for name, snapshot in snapshots.items()})

    def inputs(self, tasks: Iterable[str]) -> dict[str, Snapshot]:
        """The snapshots that these extract tasks found, by table."""
        documents = [self._read(_inputs(task)) for task in tasks]
        merged = {name: document for found in documents for name, document in found.items()}
        return {name: Snapshot.from_document(document) for name, document in sorted(merged.items())}

    def pin_upstream(self, pins: Mapping[str, Pin]) -> None:
        """Leaves which versions of other datasets the run is made of, so that all its steps see the same."""
        self._write(UPSTREAM, {name: asdict(pin) for name, pin in pins.items()})

    def upstream(self) -> dict[str, Pin]:
        """Which versions of other datasets the run is made of."""
        return {name: Pin(**pin) for name, pin in self._read(UPSTREAM).items()}

    def write_erasures(self, state: str) -> None:
        """Leaves who had been erased when the run began to read."""
        self._write(ERASURES, state)

    def erasures(self) -> str:
        """Who had been erased when the run began to read; empty for nobody."""
        with suppress(FileNotFoundError):
            return str(self._read(ERASURES))
        return ""

    def pin_previous(self, pin: Pin | None) -> None:
        """Leaves which version is the previous one, so that all steps see the same; None where there is none."""
        self._write(PREVIOUS, asdict(pin) if pin else None)

    def previous(self) -> Pin | None:
        """Which version is the previous one."""
        document = self._read(PREVIOUS)
        return Pin(**document) if document else None

    def write_extent(self, extent: Extent) -> None:
        """Leaves from which day on tables are computed."""
        self._write("extent", {name: str(day) for name, day in vars(extent).items() if day})

    def extent(self) -> Extent:
        """From which day on tables are computed."""
        return Extent(**{name: date.fromisoformat(day) for name, day in self._read("extent").items()})

    def write_files(self, name: str, files: list[StagedFile]) -> None:
        """Leaves the list of files of a computed table or artifact, which are on the disk by then."""
        self.store.flush(file.key for file in files if self.has(file.key))
        self._write(f"tables/{name}", [asdict(file) for file in files])

    def files(self, name: str) -> list[StagedFile]:
        """The files of a table or artifact: those that a task computed, and those that it took over."""
        return [StagedFile(File(**staged["file"]), staged["key"]) for staged in self._read(f"tables/{name}")]

    def write_counts(self, counts: Counts) -> None:
        """Leaves what was counted beside the checks."""
        self._write("counts", {**asdict(counts), "accounts": {one.table: one.document() for one in counts.accounts}})

    def counts(self) -> Counts:
        """What was counted beside the checks."""
        document = self._read("counts")
        return Counts(**{**document, "accounts": Account.from_documents(document["accounts"])})

    def write_checks(self, results: Iterable[Result]) -> None:
        """Leaves how the checks went."""
        self._write("checks", [result.document() for result in results])

    def checks(self) -> list[Result]:
        """How the checks went."""
        return [Result.from_document(document) for document in self._read("checks")]

    def write_statistics(self, found: Statistics) -> None:
        """Leaves what the columns of the staged tables look like."""
        self._write("statistics", document_of(found))

    def statistics(self) -> Statistics | None:
        """What the columns of the staged tables look like; None where that is not known."""
        with suppress(DamagedError, FileNotFoundError):
            return statistics_in(self._read("statistics"))
        return None

    def write_published(self, published: Published) -> None:
        """Leaves what was published."""
        self._write("published", published.document())

    def published(self) -> Published:
        """What was published."""
        return Published.from_document(self._read("published"))

    def _write(self, name: str, document: object) -> None:
        self.store.write(self.key(f"{name}.json"), to_json(document))

    def _read(self, name: str) -> Any:
        return self.store.read_json(self.key(f"{name}.json"))


@dataclass(frozen=True)
class StagedRun:
    """What a run, alive or dead, has in staging, and what it refers to elsewhere in the store."""

    staging: Staging
    entries: list[Entry]

    def pinned_versions(self) -> Iterator[tuple[str, Pin]]:
        """The versions that it continues from or is made of, with their datasets."""
        if not self.staging.run_id:  # a file that lies there and belongs to no run
            return
        with suppress(DamagedError, FileNotFoundError):
            if previous := self.staging.previous():
                yield self.staging.dataset, previous
        with suppress(DamagedError, FileNotFoundError):
            yield from self.staging.upstream().items()

    def pinned_keys(self) -> Iterator[str]:
        """The raw files and snapshots that it reads."""
        folder = self.staging.key(_inputs(""))
        tasks = [e.key.removeprefix(folder).removesuffix(".json") for e in self.entries if e.key.startswith(folder)]
        for task in tasks:
            with suppress(DamagedError, FileNotFoundError):
                for snapshot in self.staging.inputs([task]).values():
                    yield from (snapshot.key, *(file.key for file in snapshot.files))


def staged_runs(store: Store) -> list[StagedRun]:
    """Every run that has something in staging."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in store.entries(STAGING):
        _, dataset, run, *_ = f"{entry.key}//".split("/")
        found[dataset, run].append(entry)
    return [StagedRun(Staging(store, *name), entries) for name, entries in found.items()]
