"""What of a store nothing refers to any more, and its removal.

Kept are the versions that the retention rule names, the versions of other datasets that these are made of, the raw
snapshots that they were read from with all their files, and whatever unfinished runs have pinned. Anything younger than
`grace` stays as well, for a run may be about to refer to it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest, Pin
from shopmill.versions.retention import Retention
from shopmill.versions.store import Entry, Store
from shopmill.versions.versions import Versions, folder_of

Name = tuple[str, str, str]
"""A version: dataset, as_of, id."""


class StagedRun(Protocol):
    """What a run has in staging, and what it refers to elsewhere in the store."""

    @property
    def entries(self) -> Iterable[Entry]:
        """All that it has there."""

    def pinned_versions(self) -> Iterable[tuple[str, Pin]]:
        """The versions that it continues from or is made of, with their datasets."""

    def pinned_keys(self) -> Iterable[str]:
        """The raw files and snapshots that it reads."""


@dataclass(frozen=True)
class Garbage:
    """Keys that nothing refers to, by the folder whose lock must be held to delete them: a dataset or a raw table."""

    versions: dict[str, list[Entry]] = field(default_factory=dict)
    raw: dict[str, list[Entry]] = field(default_factory=dict)
    staging: list[Entry] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """All of them."""
        groups = (*self.versions.values(), *self.raw.values(), self.staging)
        return [entry for group in groups for entry in group]

    @property
    def bytes(self) -> int:
        """Their size; files that share their bytes with a kept one are counted too."""
        return sum(entry.bytes for entry in self.entries)


@dataclass(frozen=True)
class GarbageCollection:
    """Looks through a store once, as it is at `now`. Another look sees what has changed meanwhile."""

    store: Store
    zone: ZoneInfo
    datasets: Collection[str]
    staged_runs: Callable[[Store], Iterable[StagedRun]]
    rule: Retention
    now: datetime
    grace: timedelta = timedelta(hours=48)

    def garbage(self) -> Garbage:
        """What nothing refers to. Changes nothing."""
        return Garbage(
            {name: found for name in self.datasets if (found := list(self.versions_to_go(name)))},
            {name: found for name in self.store.folders("raw") if (found := list(self.raw_to_go(name)))},
            list(self.staging_to_go),
        )

    @cached_property
    def kept(self) -> set[Name]:
        """The versions that stay: those wanted, and what they are made of."""
        kept: set[Name] = set()
        due = [*self._wanted(), *self._pinned_versions]
        while due:
            name = due.pop()
            if name in kept or name not in self._manifests:
                continue
            kept.add(name)
            inputs = self._manifests[name].content["inputs"]
            due += [(d, i["as_of"], i["version"]) for d, i in inputs.items() if "version" in i]
        return kept

    def _wanted(self) -> Iterator[Name]:
        for dataset in self.datasets:
            versions = Versions(self.store, dataset, self.zone)
            for as_of in self.rule.kept(self._published_as_ofs(dataset), self.zone):
                if counted := versions.at(as_of):
                    yield _name(counted)
        yield from (name for name in self._manifests if self._is_young(self._manifest_entry(name)))

    def _published_as_ofs(self, dataset: str) -> set[AsOf]:
        """The as_ofs that a version is there for: a folder may be left of one that was deleted."""
        return {AsOf.parse(as_of, self.zone) for name, as_of, _ in self._manifests if name == dataset}

    @cached_property
    def _manifests(self) -> dict[Name, Manifest]:
        found = [m for dataset in self.datasets for m in Versions(self.store, dataset, self.zone).all()]
        return {_name(manifest): manifest for manifest in found}

    def _manifest_entry(self, name: Name) -> Entry:
        return self._by_key[f"{self._folder(name)}/manifest.json"]

    @cached_property
    def _by_key(self) -> dict[str, Entry]:
        return {e.key: e for dataset in self.datasets for e in self.store.entries(dataset)}

    def _folder(self, name: Name) -> str:
        dataset, as_of, version = name
        return folder_of(dataset, AsOf.parse(as_of, self.zone), version)

    def versions_to_go(self, dataset: str) -> Iterator[Entry]:
        """Files of versions that do not stay, of versions that were never finished, and pointers to what goes."""
        kept = {self._folder(name) for name in self.kept}
        for entry in self.store.entries(dataset):
            as_of, _, rest = entry.key.removeprefix(f"{dataset}/").partition("/")
            if not rest or self._is_young(entry):  # the dataset's own pointer is no part of an as_of
                continue
            version = f"version={self.store.read_json(entry.key)['version']}" if rest == "current.json" else rest
            if f"{dataset}/{as_of}/{version.split('/')[0]}" not in kept:
                yield entry

    def raw_to_go(self, table: str) -> Iterator[Entry]:
        """Snapshots of a table that no kept version was read from, and files that are in no kept snapshot."""
        entries = self.store.entries(f"raw/{table}")
        snapshots = [e for e in entries if "/snapshots/" in e.key]
        staying = [e for e in snapshots if e.key in self._snapshots or self._is_young(e)]
        files = {file["key"] for e in staying for file in self.store.read_json(e.key)["files"]}
        keys = files | self._pinned_files | {e.key for e in staying}
        yield from (e for e in entries if e.key not in keys and not self._is_young(e))

    @cached_property
    def _snapshots(self) -> set[str]:
        """The snapshot documents that kept versions were read from."""
        return {s["key"] for name in self.kept for s in self._manifests[name].beside["snapshots"].values()}

    @property
    def staging_to_go(self) -> Iterator[Entry]:
        """What runs left that have not written anything for long: they are dead."""
        return (entry for run in self._staging if not self._is_alive(run) for entry in run.entries)

    @cached_property
    def _staging(self) -> list[StagedRun]:
        return list(self.staged_runs(self.store))

    @cached_property
    def _pinned_versions(self) -> set[Name]:
        """The version that a living run continues from, and those of other datasets that it is made of."""
        living = [run for run in self._staging if self._is_alive(run)]
        return {(dataset, pin.as_of, pin.version) for run in living for dataset, pin in run.pinned_versions()}

    @cached_property
    def _pinned_files(self) -> set[str]:
        """The raw files and snapshots that living runs read."""
        return {key for run in self._staging if self._is_alive(run) for key in run.pinned_keys()}

    def _is_alive(self, run: StagedRun) -> bool:
        return any(map(self._is_young, run.entries))

    def _is_young(self, entry: Entry) -> bool:
        return entry.modified > self.now - self.grace


def _name(manifest: Manifest) -> Name:
    return manifest.dataset, manifest.as_of, manifest.version


def collect(look: GarbageCollection, locks: Locks) -> Garbage:
    """Deletes the garbage, under the locks that publishing and extracting hold; returns what went.

    Stopped anywhere, it leaves no version without its files: pointers go first, then manifests, then the rest.
    """
    gone = Garbage()
    for dataset in look.datasets:
        with locks.lock(f"publish {dataset}"):
            gone.versions[dataset] = list(replace(look).versions_to_go(dataset))  # as it is now, under the lock
            _delete(look.store, gone.versions[dataset], {"current.json": 0, "manifest.json": 1})
    for table in look.store.folders("raw"):
        with locks.lock(f"raw {table}"):
            gone.raw[table] = list(replace(look).raw_to_go(table))
            _delete(look.store, gone.raw[table], {".json": 0})
    gone.staging.extend(replace(look).staging_to_go)
    _delete(look.store, gone.staging, {})
    return gone


def _delete(store: Store, entries: Iterable[Entry], order: dict[str, int]) -> None:
    def rank(key: str) -> int:
        return next((place for ending, place in order.items() if key.endswith(ending)), len(order))

    by_rank = defaultdict(list)
    for entry in entries:
        by_rank[rank(entry.key)].append(entry.key)
    for _, keys in sorted(by_rank.items()):
        store.delete_keys(keys)
