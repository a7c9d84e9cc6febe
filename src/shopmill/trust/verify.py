"""`shopmill verify`: what is in a store against what its documents say, a finding for each difference.

It changes nothing but the note of what it found whole, where a repair begins: see versions/looked.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf, is_folder_name
from shopmill.declaration import Dataset
from shopmill.errors import DamagedError, RegistryError
from shopmill.registry import Registry
from shopmill.trust.finding import AGAIN, REPAIR, Finding
from shopmill.trust.outline import Outline, Outlines
from shopmill.trust.statistics_of_people import show_people
from shopmill.trust.verify_inputs import InputsLook
from shopmill.versions import layout
from shopmill.versions.disk import is_unfinished
from shopmill.versions.index import VersionIndex
from shopmill.versions.looked import Looked, listed, mark
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import Entries, Hashing, faults_among
from shopmill.versions.standards import NAMES as STANDARDS
from shopmill.versions.store import Entry, Store
from shopmill.versions.versions import Versions

BESIDE = {layout.MANIFEST, layout.STATISTICS, layout.WITHDRAWN, *STANDARDS}
"""What may lie in the folder of a version beside its files."""


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
    hashing: Hashing = field(default_factory=Hashing)
    """What reads the files, and says how far it is."""
    trusting: bool = False
    """Whether versions that look as they did when they were found whole count as whole: their bytes are not read."""

    def of(self, as_of: AsOf | None = None, everything: bool = False) -> Iterator[Finding]:
        """Findings on the version of an as_of, by default the current one, or on everything."""
        versions = list(self._everything()) if everything else []  # which says what can be read
        yield from self.pointers()
        yield from self.index(everything)
        yield from versions if everything else self._one(as_of)
        if everything:
            yield from self.unreadable()
            yield from self.strangers()
        if as_of is None and (current := self.versions.current()):
            yield from self._registered(current)
            yield from self._served(current)

    @cached_property
    def versions(self) -> Versions:
        """The versions of the dataset."""
        return Versions(self.store, self.dataset.name, self.zone)

    @property
    def _outlines(self) -> Outlines:
        return Outlines(self.versions)

    def each(self) -> Iterator[tuple[str, Outline]]:
        """Every version that is to be looked at and has a manifest, with its folder, one at a time: a year would fill the memory."""
        self.hashing.expect(self.store, self._unread)
        for folder, outline in self._outlines.each(but=self._trusted):
            self._readable.add(folder)
            yield folder, outline

    @property
    def _unread(self) -> Iterator[Entry]:
        """The files of the versions that are to be looked at."""
        for folder, entries in self._listed.items():
            if folder not in self._trusted:
                yield from _files(folder, entries)

    @cached_property
    def _listed(self) -> dict[str, Entries]:
        """What lies in the folder of each version: asked for once, for there may be thousands."""
        return listed(self.store, self.dataset.name)

    def entries(self, folder: str) -> Entries:
        """What lies in the folder of a version: now, where it was not whole when all were listed."""
        there = self._listed.get(folder, {})
        return there if layout.manifest_in(folder) in there else self._entries_now(folder)

    def _entries_now(self, folder: str) -> Entries:
        return {entry.key: entry for entry in self.store.entries(folder)}

    @cached_property
    def _marks(self) -> dict[str, str]:
        return {folder: mark(entries) for folder, entries in self._listed.items()}

    @cached_property
    def _trusted(self) -> dict[str, str]:
        """The folders of versions that need no look, with what they look like."""
        before = self._looked.read() if self.trusting else {}
        return {folder: known for folder, known in before.items() if self._marks.get(folder) == known}

    @property
    def _looked(self) -> Looked:
        return Looked(self.store, self.dataset.name)

    def _everything(self) -> Iterator[Finding]:
        whole, now = dict(self._trusted), self._marks
        for folder, outline in self.each():
            findings = list(self.version(folder, outline, self.entries(folder)))
            if not findings and folder in now:
                whole[folder] = now[folder]
            if findings and self._is_there_now(folder):  # not deleted while it was looked at
                yield from findings
        self._looked.keep(whole)

    def _one(self, as_of: AsOf | None) -> Iterator[Finding]:
        name = self._named(as_of)
        if name is None:
            if as_of:
                self.versions.need(as_of)  # which says why there is none
            return
        try:
            folder, outline = self._outlines.exactly(*name)
        except (DamagedError, FileNotFoundError):
            yield self._unreadable(*name)
            return
        entries = self._entries_now(folder)
        self.hashing.expect(self.store, _files(folder, entries))
        findings = list(self.version(folder, outline, entries))
        if findings:
            self._looked.forget(folder)
        yield from findings

    def _named(self, as_of: AsOf | None) -> tuple[str, str] | None:
        """The current version, or that of an as_of, whatever the pointer says, which may be what is wrong."""
        lines = self.versions.lines()
        there = self.versions.counted(lines)
        if as_of:
            own = [name for name in there if name[0] == as_of.label]
            broken = [name for name, line in lines.items() if name[0] == as_of.label and not line.whole]
            return next(iter([*own, *broken]), None)
        return max(there, key=lambda name: AsOf.parse(name[0], self.zone), default=None)

    def damage(self, folder: str, outline: Outline, entries: Entries) -> dict[str, str]:
        """What is wrong with the files of a version, by key: every byte is read, once for all that share it."""
        return faults_among(self.store, outline.sealed(folder), entries, self.hashing)

    def version(self, folder: str, outline: Outline, entries: Entries) -> Iterator[Finding]:
        """Files, and what a version was made of."""
        again = f"{REPAIR[:-1]}, or `shopmill run {outline.dataset} --as-of {outline.as_of}`."
        for key, fault in self.damage(folder, outline, entries).items():
            yield self._finding(outline.as_of, key, fault, again)
        named = {f"{folder}/{file.path}" for file in outline.files} | {f"{folder}/{name}" for name in BESIDE}
        for key in entries:
            if key not in named and not is_unfinished(key):
                yield self._finding(outline.as_of, key, "is in no manifest", "Delete it.")
        if (key := f"{folder}/{layout.STATISTICS}") in entries and show_people(self.store, key):
            yield self._finding(outline.as_of, key, "has values of people", REPAIR)
        yield from self._inputs.of(outline)

    @cached_property
    def _inputs(self) -> InputsLook:
        return InputsLook(self.store, self.dataset.name, self.zone, self.raw, self.known, self.hashing)

    def unreadable(self) -> Iterator[Finding]:
        """Folders of versions whose manifest is missing or cannot be read."""
        for line in self.versions.lines(look_again=True).values():
            folder = self.versions.folder_of_line(line)
            if folder not in self._readable and not self._can_be_read_now(folder):
                yield self._unreadable(line.as_of, line.version)

    def _unreadable(self, as_of: str, version: str) -> Finding:
        way_out = f"Run `shopmill run {self.dataset.name} --as-of {as_of}`, or let `shopmill gc` delete it."
        where = f"{self.dataset.name} as of {as_of}, version {version}"
        return Finding(self.dataset.name, as_of, where, "has no manifest that can be read", way_out)

    def strangers(self) -> Iterator[Finding]:
        """Folders among those of the as_ofs that are none, such as a copy that somebody made."""
        for name in self.store.folders(self.dataset.name):
            if not is_folder_name(name):
                yield self._finding("", f"{self.dataset.name}/{name}", "is the folder of no as_of", "Delete it.")

    def pointers(self) -> Iterator[Finding]:
        """Pointers that name no version, or not the one with the newest as_of."""
        counted = dict(self.versions.counted(self.versions.lines()).keys())
        for as_of, version in counted.items():
            key = self.versions.pointer_key(as_of)
            if fault := self._wrong(key, as_of, version):
                yield self._finding(as_of, key, fault, REPAIR)
        if counted:
            newest = max(AsOf.parse(as_of, self.zone) for as_of in counted).label
            key = layout.pointer_in(self.dataset.name)
            if fault := self._wrong(key, newest, counted[newest]):
                yield self._finding(newest, key, fault, REPAIR)

    def _wrong(self, key: str, as_of: str, version: str) -> str:
        try:
            said = self.store.read_json(key)
            named = (said["version"], said["as_of"])
        except FileNotFoundError:
            return "is missing"
        except (DamagedError, KeyError, TypeError):
            return "is damaged"
        if named[0] != version:
            return f"names version {named[0]} instead of {version}"
        return "" if named[1] == as_of else f"names version {version} as of {named[1]} instead of {as_of}"

    def _is_there_now(self, folder: str) -> bool:
        return self.store.exists(layout.manifest_in(folder))

    def _can_be_read_now(self, folder: str) -> bool:
        return self.versions.manifests.readable(layout.manifest_in(folder)) is not None

    @cached_property
    def _readable(self) -> set[str]:
        """The folders of versions whose manifest could be read, of those that were looked at."""
        return {*self._trusted}

    def index(self, everything: bool = True) -> Iterator[Finding]:
        """Lines of the index that the folders do not bear out; with `everything` those whose manifest could not be read too."""
        lines = VersionIndex(self.store, self.dataset.name, self.zone).lines().values()
        known = {self.versions.folder_of_line(line) for line in lines if line.whole}
        for folder in sorted(known ^ (self._readable if everything else self.versions.folders())):
            if (folder in known) == self._can_be_read_now(folder):
                continue  # it was published, or deleted, since the folders were listed
            as_of, version = self.versions.name_of(folder)
            where = layout.index_of(self.dataset.name)
            fault = f"{'names' if folder in known else 'lacks'} version {version} as of {as_of}"
            yield self._finding(as_of, where, fault, REPAIR)

    def _registered(self, current: Manifest) -> Iterator[Finding]:
        where = f"{self.dataset.name} as of {current.as_of}, version {current.version}"
        try:
            name = (self.dataset.name, self.store.url, current.as_of, current.version)
            is_registered = self.registry is None or self.registry.has_published(*name)
        except RegistryError as error:  # the files are looked at all the same
            fault = f"may have no row in etl_runs: {str(error).rstrip('.')}"
            yield Finding(self.dataset.name, current.as_of, where, fault, AGAIN)
            return
        if not is_registered:
            way_out = f"Run `shopmill run {self.dataset.name} --as-of {current.as_of}`, which registers it."
            yield Finding(self.dataset.name, current.as_of, where, "has no row in etl_runs that published it", way_out)

    def _served(self, current: Manifest) -> Iterator[Finding]:
        if self.dataset.serving is None or self.served is None:
            return
        try:
            serving = self.served()
        except RegistryError as error:
            fault = f"may serve another version: {str(error).rstrip('.')}"
            yield Finding(self.dataset.name, current.as_of, "The vector index", fault, AGAIN)
            return
        if serving != current.version:
            fault = f"serves version {serving or 'none'} instead of {current.version}"
            way_out = f"Run `shopmill run {self.dataset.name} --as-of {current.as_of}`."
            yield Finding(self.dataset.name, current.as_of, "The vector index", fault, way_out)

    def _finding(self, as_of: str, key: str, fault: str, way_out: str) -> Finding:
        return Finding(self.dataset.name, as_of, self.store.uri(key), fault, way_out)


def _files(folder: str, entries: Entries) -> Iterator[Entry]:
    """What a manifest may name of what lies in the folder of its version."""
    return (entry for key, entry in entries.items() if key.removeprefix(f"{folder}/") not in BESIDE)
