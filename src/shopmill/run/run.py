"""One run of one dataset: what identifies it, and the staging area through which its steps hand work on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from uuid import uuid4

from shopmill.asof import AsOf
from shopmill.declaration import Dataset, Table, Value
from shopmill.errors import InvalidInputError
from shopmill.registry import Registry
from shopmill.run.contradictions import refuse_contradictions
from shopmill.run.staging import Staging
from shopmill.settings import Settings
from shopmill.source.snapshot import Snapshot
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import refuse
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions


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
        was_accepted: bool = False,
    ) -> Self:
        """A run from plain values; InvalidInputError for a malformed as_of, a bad parameter or what contradicts itself.

        Of what `was_accepted` before, by another task of the run or when a version was made, no contradiction is looked for.
        """
        values = dataset.parse_parameters({**settings.parameters.get(dataset.name, {}), **(parameters or {})})
        moment = AsOf.parse(as_of, settings.zone)
        if not was_accepted:
            refuse_contradictions(dataset, moment, values, settings)
        return cls(
            dataset,
            moment,
            settings,
            values,
            run_id or f"cli-{uuid4().hex}",
            orchestrator or {},
            refresh,
        )

    def splits(self, table: Table) -> bool:
        """Whether the rows of a table go into several files, by a hash."""
        return bool(table.split_by) and self.settings.split_into > 1

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

    @cached_property
    def staging(self) -> Staging:
        """This run's work in progress."""
        return Staging(self.store, self.dataset.name, self.run_id)

    @cached_property
    def inputs(self) -> dict[str, Snapshot]:
        """The snapshots of all extract tasks."""
        return self.staging.inputs(self.dataset.extracts)

    def pin_upstream(self) -> dict[str, Manifest]:
        """Notes which versions of other datasets this run is made of, so that all its steps see the same."""
        found = {needed.table: self._upstream_version(needed.table) for needed in self.dataset.upstream}
        self.staging.pin_upstream({name: manifest.pin for name, manifest in found.items()})
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
        pinned = self.staging.upstream() if self.dataset.upstream else {}
        return {name: self._upstream_versions(name).exactly(pin.as_of, pin.version) for name, pin in pinned.items()}

    def upstream_keys(self, name: str) -> tuple[Mapping[str, str], list[str]] | None:
        """The columns (name to type) and store keys of what SQL names `<dataset>__<table>`; None for any other name."""
        dataset, _, table = name.partition("__")
        if not (made := self.upstream.get(dataset)) or table not in made.tables:
            return None
        columns = {column["name"]: column["type"] for column in made.content["tables"][table]["columns"]}
        return columns, self._upstream_versions(dataset).keys_of(made, table)
