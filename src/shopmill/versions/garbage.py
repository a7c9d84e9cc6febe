"""What of a store nothing refers to any more, and its removal.

Kept are the versions that the retention rule names, the one that the newest continued from and a rerun of it would continue
from, the versions of other datasets that these are made of, the raw snapshots that they were read from with all their files,
and whatever unfinished runs have pinned. Anything younger than `grace` stays as well, for a run may be about to refer to it.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.versions import layout
from shopmill.versions.index import Line, Lines, Name, VersionIndex
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Pin
from shopmill.versions.manifests import folder_of
from shopmill.versions.retention import Retention
from shopmill.versions.snapshot_documents import named_by
from shopmill.versions.store import Entry, Store
from shopmill.versions.versions import Versions

log = logging.getLogger(__name__)
AT_ONCE = 100
"""Versions that are taken away while a dataset's publishing lock is held: milliseconds."""


@dataclass(frozen=True)
class Goner:
    """What goes: a file, or the folder of a version."""

    key: str
    bytes: int
    files: int = 1


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
    """What nothing refers to, by the folder whose lock must be held to delete it: a dataset or a raw table."""

    versions: dict[str, list[Goner]] = field(default_factory=dict)
    raw: dict[str, list[Goner]] = field(default_factory=dict)
    staging: list[Goner] = field(default_factory=list)

    @property
    def entries(self) -> list[Goner]:
        """All of it."""
        groups = (*self.versions.values(), *self.raw.values(), self.staging)
        return [entry for group in groups for entry in group]

    @property
    def files(self) -> int:
        """Number of files."""
        return sum(entry.files for entry in self.entries)

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
    all_stay: bool = False
    """Keep every version that is there: what was published since the first look has its raw files, too."""

    def garbage(self) -> Garbage:
        """What nothing refers to. Changes nothing."""
        return Garbage(
            {
                name: [self._goner(name, line) for line in found]
                for name in self.datasets
                if (found := self.to_go(name))
            },
            {name: _files(files) for name in self.store.folders(layout.RAW) if (files := list(self.raw_to_go(name)))},
            _files(self.staging_to_go),
        )

    def _goner(self, dataset: str, line: Line) -> Goner:
        return Goner(self.folder((dataset, line.as_of, line.version)), line.bytes, line.files)

    @cached_property
    def kept(self) -> set[Name]:
        """The versions that stay: those wanted, and what they are made of."""
        if self.all_stay:
            return {(dataset, *name) for dataset, lines in self.lines.items() for name in lines}
        kept: set[Name] = set()
        due = [*self._wanted(), *self._pinned_versions]
        while due:
            name = due.pop()
            line = self.lines.get(name[0], {}).get(name[1:])
            if name not in kept and line is not None:
                kept.add(name)
                due += line.inputs
        return kept

    def _wanted(self) -> Iterator[Name]:
        for dataset, lines in self.lines.items():
            counted = {as_of: line for (as_of, _), line in self._versions(dataset).counted(lines).items()}
            as_ofs = {AsOf.parse(label, self.zone) for label in counted}
            for as_of in self.rule.kept(as_ofs, self.zone):
                yield dataset, as_of.label, counted[as_of.label].version
            yield from ((dataset, *name) for name in _continued_from(counted, sorted(as_ofs)))
            yield from ((dataset, *name) for name, line in lines.items() if self._is_new(line.published_at))

    def _versions(self, dataset: str) -> Versions:
        return Versions(self.store, dataset, self.zone)

    @cached_property
    def lines(self) -> dict[str, Lines]:
        """What there is of each dataset, folders that are no version included."""
        look_again = self.store.root is not None  # and not where each folder is a request
        return {dataset: self._versions(dataset).lines(look_again) for dataset in self.datasets}

    def folder(self, name: Name) -> str:
        """The key prefix of a version."""
        dataset, as_of, version = name
        return folder_of(dataset, AsOf.parse(as_of, self.zone), version)

    def to_go(self, dataset: str) -> list[Line]:
        """Versions that do not stay, and folders of versions that were never finished."""
        return [line for name, line in self.lines[dataset].items() if (dataset, *name) not in self.kept]

    def without_pinned(self, dataset: str, due: Iterable[Line]) -> list[Line]:
        """Those of `due` that no run has begun to use since the look: by now pinned, published again, or replaced."""
        pinned = replace(self)._pinned_versions
        index = VersionIndex(self.store, dataset, self.zone).lines()
        return [
            line
            for line in due
            if (dataset, line.as_of, line.version) not in pinned
            and index.get((line.as_of, line.version), line).at == line.at
        ]

    def raw_to_go(self, table: str) -> Iterator[Entry]:
        """Snapshots of a table that no kept version was read from, and files that are in no kept snapshot."""
        entries = self.store.entries(layout.raw_of(table))
        snapshots = {e.key for e in entries if layout.is_snapshot(e.key)}
        staying = {e.key for e in entries if e.key in snapshots and (e.key in self._snapshots or self._is_young(e))}
        try:
            files, bases = named_by(self.store, staying)
        except (DamagedError, FileNotFoundError, KeyError, TypeError) as error:
            log.warning("Nothing of %s is deleted: a snapshot of it cannot be read. %s", layout.raw_of(table), error)
            return
        keys = files | self._pinned_files | staying | bases
        yield from (e for e in entries if e.key not in keys and not self._is_young(e))

    @cached_property
    def _snapshots(self) -> set[str]:
        """The snapshot documents that kept versions were read from."""
        return {key for dataset, *name in self.kept for key in self.lines[dataset][name[0], name[1]].snapshots}

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
        return self._is_new(entry.modified)

    def _is_new(self, moment: datetime) -> bool:
        return moment > self.now - self.grace


def _continued_from(counted: Mapping[str, Line], as_ofs: list[AsOf]) -> Iterator[tuple[str, str]]:
    """What the newest version continued from, and where that was withdrawn or replaced, what a rerun would continue from."""
    if as_ofs and (before := counted[as_ofs[-1].label].previous):
        yield before
        if len(as_ofs) > 1 and before not in {(line.as_of, line.version) for line in counted.values()}:
            yield as_ofs[-2].label, counted[as_ofs[-2].label].version


def _files(entries: Iterable[Entry]) -> list[Goner]:
    return [Goner(entry.key, entry.bytes) for entry in entries]


def collect(look: GarbageCollection, locks: Locks) -> Garbage:
    """Deletes the garbage; returns what went. Looks first, and holds a lock only to look again at what goes.

    Stopped anywhere, it leaves no version without its files: pointers go first, then whole folders.
    """
    gone = Garbage()
    for dataset in look.datasets:
        gone.versions[dataset] = []
        to_go = look.to_go(dataset)
        for due in (to_go[start : start + AT_ONCE] for start in range(0, len(to_go), AT_ONCE)):
            with locks.lock(f"publish {dataset}"):
                going = look.without_pinned(dataset, due)
                _take_away(look, dataset, going)
            gone.versions[dataset] += [look._goner(dataset, line) for line in going]
            look.store.delete(layout.TRASH)
    for table in look.store.folders(layout.RAW):
        if any(True for _ in look.raw_to_go(table)):
            with locks.lock(f"raw {table}"):
                found = list(replace(look, all_stay=True).raw_to_go(table))  # as it is now, under the lock
                _delete(look.store, found, {".json": 0})
            gone.raw[table] = _files(found)
    staged = list(replace(look).staging_to_go)
    gone.staging.extend(_files(staged))
    _delete(look.store, staged, {})
    return gone


def _take_away(look: GarbageCollection, dataset: str, due: list[Line]) -> None:
    """Pointers to what goes, then the folders, then their lines."""
    versions = look._versions(dataset)
    left = {as_of for dataset_of, as_of, _ in look.kept if dataset_of == dataset}
    pointers = [versions.pointer_key(line.as_of) for line in due if line.as_of not in left]
    look.store.delete_keys([key for key in dict.fromkeys(pointers) if look.store.exists(key)])
    for line in due:
        look.store.set_aside(look.folder((dataset, line.as_of, line.version)))
    VersionIndex(look.store, dataset, look.zone).remove(due)
    for as_of in {line.as_of for line in due} & left:
        versions.repoint(AsOf.parse(as_of, look.zone))  # its pointer may name what went


def _delete(store: Store, entries: Iterable[Entry], order: dict[str, int]) -> None:
    def rank(key: str) -> int:
        return next((place for ending, place in order.items() if key.endswith(ending)), len(order))

    by_rank = defaultdict(list)
    for entry in entries:
        by_rank[rank(entry.key)].append(entry.key)
    for _, keys in sorted(by_rank.items()):
        store.delete_keys(keys)
