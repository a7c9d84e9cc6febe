"""One run of one dataset: what identifies it, and the staging area through which its steps hand work on."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from shopmill.asof import AsOf
from shopmill.declaration import Dataset, Value
from shopmill.errors import InvalidInputError
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.source.snapshot import Snapshot
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.proof import refuse
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions


@dataclass(frozen=True)
class StagedFile:
    """A file of the version to come, and the store key where its bytes are now: in staging, or in the version before."""

    file: File
    key: str


@dataclass(frozen=True)
class Run:
    """A run of `dataset` for `as_of`. Every step of it may happen in another process on another machine."""

    dataset: Dataset
    as_of: AsOf
    settings: Settings
    parameters: Mapping[str, Value]
    run_id: str
    orchestrator: Mapping[str, Any] = field(default_factory=dict)
    refresh: bool = False

    @classmethod
    def create(
        cls,
        dataset: Dataset,
        as_of: str,
        settings: Settings,
        parameters: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        orchestrator: Mapping[str, Any] | None = None,
        refresh: bool = False,
    ) -> "Run":
        """A run from plain values; InvalidInputError for a malformed as_of or a bad parameter."""
        return cls(
            dataset,
            AsOf.parse(as_of, settings.zone),
            settings,
            dataset.parse_parameters(parameters or {}),
            run_id or f"cli-{uuid4().hex}",
            orchestrator or {},
            refresh,
        )

    @cached_property
    def store(self) -> Store:
        """The store of the settings."""
        return Store(self.settings.store, self.settings.work_folder)

    @cached_property
    def locks(self) -> Locks:
        """The locks of the store."""
        return Locks(self.store)

    @cached_property
    def registry(self) -> Registry:
        """The registry of the settings."""
        return Registry(self.settings.registry_dsn.get_secret_value())

    @cached_property
    def versions(self) -> Versions:
        """The published versions of the dataset."""
        return Versions(self.store, self.dataset.name, self.settings.zone)

    @property
    def staging(self) -> str:
        """The key prefix of this run's work in progress."""
        return f"staging/{self.dataset.name}/{re.sub(r'[^A-Za-z0-9_.=-]', '_', self.run_id)}"

    def note(self, name: str, document: Any) -> None:
        """Leaves a JSON document for later steps."""
        self.store.write(f"{self.staging}/{name}.json", to_json(document))

    def noted(self, name: str) -> Any:
        """A document that an earlier step left; FileNotFoundError where it did not."""
        return self.store.read_json(f"{self.staging}/{name}.json")

    def note_inputs(self, task: str, snapshots: Mapping[str, Snapshot]) -> None:
        """Leaves the snapshots that an extract task found."""
        self.note(f"inputs/{task}", {name: asdict(snapshot) for name, snapshot in snapshots.items()})

    @cached_property
    def inputs(self) -> dict[str, Snapshot]:
        """The snapshots of all extract tasks."""
        documents = [self.noted(f"inputs/{task}") for task in self.dataset.extracts]
        merged = {name: document for noted in documents for name, document in noted.items()}
        return {name: Snapshot.from_document(document) for name, document in sorted(merged.items())}

    def pin_upstream(self) -> dict[str, Manifest]:
        """Notes which versions of other datasets this run is made of, so that all its steps see the same."""
        found = {needed.table: self._upstream_version(needed.table) for needed in self.dataset.upstream}
        self.note("upstream", {name: {"as_of": m.as_of, "version": m.version} for name, m in found.items()})
        return found

    def _upstream_version(self, name: str) -> Manifest:
        versions = self._upstream_versions(name)
        if found := versions.at(self.as_of) or versions.before(self.as_of):
            damaged = versions.faults(found, hashes=self.store.root is not None)
            refuse(self.store, damaged, f"Run `shopmill repair` or `shopmill run {name} --as-of {found.as_of}` first.")
            return found
        raise InvalidInputError(
            f"{self.dataset.name} is made of {name}, which has no version as of {self.as_of.label} or before: "
            f"run `shopmill run {name} --as-of {self.as_of.label}` first."
        )

    def _upstream_versions(self, name: str) -> Versions:
        return Versions(self.store, name, self.settings.zone)

    @cached_property
    def upstream(self) -> dict[str, Manifest]:
        """The versions of other datasets that this run is made of."""
        pinned = self.noted("upstream") if self.dataset.upstream else {}
        return {
            name: self._upstream_versions(name).exactly(pin["as_of"], pin["version"]) for name, pin in pinned.items()
        }

    def upstream_keys(self, name: str) -> tuple[Mapping[str, str], list[str]] | None:
        """The columns (name to type) and store keys of what SQL names `<dataset>__<table>`; None for any other name."""
        dataset, _, table = name.partition("__")
        if not (made := self.upstream.get(dataset)) or table not in made.tables:
            return None
        columns = {column["name"]: column["type"] for column in made.content["tables"][table]["columns"]}
        return columns, self._upstream_versions(dataset).keys_of(made, table)

    def stage_table(self, table: str, files: list[StagedFile]) -> None:
        """Leaves the list of files of a computed table or artifact, which are on the disk by then."""
        self.store.flush(file.key for file in files if file.key.startswith(f"{self.staging}/"))
        self.note(f"tables/{table}", [asdict(file) for file in files])

    def staged_files(self, table: str) -> list[StagedFile]:
        """The files of a table that a transform task computed, and those that it took over."""
        return [StagedFile(File(**staged["file"]), staged["key"]) for staged in self.noted(f"tables/{table}")]
