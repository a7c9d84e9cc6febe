"""`shopmill verify`: what is in a store against what its documents say, a finding for each difference. Changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.declaration import Dataset
from shopmill.errors import DamagedError
from shopmill.registry import Registry
from shopmill.source.snapshot import Snapshot
from shopmill.versions import layout
from shopmill.versions.index import VersionIndex
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import faults
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.standards import NAMES as STANDARDS
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

BESIDE = {layout.MANIFEST, layout.STATISTICS, layout.WITHDRAWN, *STANDARDS}
"""What may lie in the folder of a version beside its files."""


@dataclass(frozen=True)
class Finding:
    """A difference: where it is, what is wrong, and what to do about it."""

    dataset: str
    as_of: str
    where: str
    fault: str
    way_out: str

    def document(self) -> dict[str, str]:
        """As JSON has it."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """In one line."""
        return f"{self.where} {self.fault}. {self.way_out}"


REPAIR = "Run `shopmill repair`."


@dataclass(frozen=True)
class Verification:
    """Looks at one dataset."""

    store: Store
    dataset: Dataset
    zone: ZoneInfo
    registry: Registry | None = None
    raw: bool = False
    served: Callable[[], str | None] | None = None
    """What finds the version that the vector index serves."""
    known: dict[str, str] = field(default_factory=dict)
    """What was wrong with the raw files that were looked at, by key; empty for whole ones."""

    def of(self, as_of: AsOf | None = None, everything: bool = False) -> Iterator[Finding]:
        """Findings on the version of an as_of, by default the current one, or on everything."""
        yield from self.pointers()
        yield from self.index()
        for manifest in self._chosen(as_of, everything):
            yield from self.version(manifest)
        if everything:
            yield from self.unreadable()
        if as_of is None and (current := self.versions.current()):
            yield from self._registered(current)
            yield from self._served(current)

    @cached_property
    def versions(self) -> Versions:
        """The versions of the dataset."""
        return Versions(self.store, self.dataset.name, self.zone)

    @cached_property
    def manifests(self) -> list[Manifest]:
        """Every version that is whole: read once, for there may be thousands."""
        return self.versions.all()

    def _chosen(self, as_of: AsOf | None, everything: bool) -> Sequence[Manifest]:
        if everything:
            return self.manifests
        if as_of:
            return [self.versions.need(as_of)]
        counted = self.versions.counted(self.versions.lines())  # whatever the pointer says, which may be what is wrong
        newest = max(counted, key=lambda name: AsOf.parse(name[0], self.zone), default=None)
        return [self.versions.exactly(*newest)] if newest else []

    def version(self, manifest: Manifest) -> Iterator[Finding]:
        """Files, and what a version was made of."""
        again = f"{REPAIR[:-1]}, or `shopmill run {manifest.dataset} --as-of {manifest.as_of}`."
        for key, fault in self.versions.faults(manifest, hashes=True).items():
            yield self._finding(manifest.as_of, key, fault, again)
        folder = self.versions.folder(manifest)
        named = {f"{folder}/{file.path}" for file in manifest.all_files} | {f"{folder}/{name}" for name in BESIDE}
        for key in self.store.keys(folder):
            if key not in named:
                yield self._finding(manifest.as_of, key, "is in no manifest", "Delete it.")
        for name, made in manifest.content["inputs"].items():
            if "version" in made and not self._is_there(name, made):
                where = f"{self.dataset.name} as of {manifest.as_of}"
                fault = f"was made of version {made['version']} of {name}, which is missing or damaged"
                yield Finding(self.dataset.name, manifest.as_of, where, fault, "It can be read, and not be rebuilt.")
        yield from self._snapshots(manifest)

    def _is_there(self, dataset: str, made: dict[str, Any]) -> bool:
        try:
            Versions(self.store, dataset, self.zone).exactly(made["as_of"], made["version"])
        except (DamagedError, FileNotFoundError):
            return False
        return True

    def _snapshots(self, manifest: Manifest) -> Iterator[Finding]:
        for table, noted in manifest.beside.get("snapshots", {}).items():
            way_out = f"Run `shopmill run {self.dataset.name} --as-of {manifest.as_of} --refresh`."
            try:
                found = Snapshot.from_document(read_snapshot(self.store, noted["key"]))
            except (DamagedError, FileNotFoundError, KeyError, TypeError):
                yield self._finding(manifest.as_of, noted["key"], "is missing or damaged", way_out)
                continue
            if found.sha256 != manifest.content["inputs"][table]["sha256"]:
                yield self._finding(manifest.as_of, noted["key"], "is not what the version was read from", way_out)
            elif self.raw:
                for key, fault in self._raw_faults(found).items():
                    yield self._finding(manifest.as_of, key, fault, way_out)

    def _raw_faults(self, snapshot: Snapshot) -> dict[str, str]:
        """What is wrong with the files of a snapshot. Most of them are those of other snapshots too."""
        due = [file for file in snapshot.files if file.key not in self.known]
        wrong = faults(self.store, due, layout.raw_of(snapshot.table), hashes=True)
        self.known.update({file.key: wrong.get(file.key, "") for file in due})
        return {file.key: self.known[file.key] for file in snapshot.files if self.known[file.key]}

    def unreadable(self) -> Iterator[Finding]:
        """Folders of versions whose manifest is missing or cannot be read."""
        readable = {(manifest.as_of, manifest.version) for manifest in self.manifests}
        for name, line in self.versions.lines(look_again=True).items():
            if name not in readable:
                way_out = (
                    f"Run `shopmill run {self.dataset.name} --as-of {line.as_of}`, or let `shopmill gc` delete it."
                )
                where = f"{self.dataset.name} as of {line.as_of}, version {line.version}"
                yield Finding(self.dataset.name, line.as_of, where, "has no manifest that can be read", way_out)

    def pointers(self) -> Iterator[Finding]:
        """Pointers that name no version, or not the one with the newest as_of."""
        counted = dict(self.versions.counted(self.versions.lines()).keys())
        for as_of, version in counted.items():
            key = self.versions.pointer_key(as_of)
            if fault := self._wrong(key, version):
                yield self._finding(as_of, key, fault, REPAIR)
        if counted:
            newest = max(AsOf.parse(as_of, self.zone) for as_of in counted).label
            key = layout.pointer_in(self.dataset.name)
            if fault := self._wrong(key, counted[newest]):
                yield self._finding(newest, key, fault, REPAIR)

    def _wrong(self, key: str, right: str) -> str:
        try:
            named = self.store.read_json(key)["version"]
        except FileNotFoundError:
            return "is missing"
        except (DamagedError, KeyError, TypeError):
            return "is damaged"
        return "" if named == right else f"names version {named} instead of {right}"

    def index(self) -> Iterator[Finding]:
        """Lines of the index that the folders do not bear out."""
        known = {
            name for name, line in VersionIndex(self.store, self.dataset.name, self.zone).lines().items() if line.whole
        }
        there = {(found.as_of, found.version) for found in self.manifests}
        for as_of, version in sorted(known ^ there):
            where = layout.index_of(self.dataset.name)
            fault = f"{'names' if (as_of, version) in known else 'lacks'} version {version} as of {as_of}"
            yield self._finding(as_of, where, fault, REPAIR)

    def _registered(self, current: Manifest) -> Iterator[Finding]:
        if self.registry and not self.registry.has_published(
            self.dataset.name, self.store.url, current.as_of, current.version
        ):
            where = f"{self.dataset.name} as of {current.as_of}, version {current.version}"
            way_out = f"Run `shopmill run {self.dataset.name} --as-of {current.as_of}`, which registers it."
            yield Finding(self.dataset.name, current.as_of, where, "has no row in etl_runs that published it", way_out)

    def _served(self, current: Manifest) -> Iterator[Finding]:
        if self.dataset.serving is None or self.served is None:
            return
        serving = self.served()
        if serving != current.version:
            fault = f"serves version {serving or 'none'} instead of {current.version}"
            way_out = f"Run `shopmill run {self.dataset.name} --as-of {current.as_of}`."
            yield Finding(self.dataset.name, current.as_of, "The vector index", fault, way_out)

    def _finding(self, as_of: str, key: str, fault: str, way_out: str) -> Finding:
        return Finding(self.dataset.name, as_of, self.store.uri(key), fault, way_out)
