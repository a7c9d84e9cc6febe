"""The versions of datasets in a store: finding them, and publishing one.

<dataset>/as_of=<as_of>/version=<id>/<table>/part-00000.parquet
<dataset>/as_of=<as_of>/version=<id>/manifest.json    written last: with it the version exists
<dataset>/as_of=<as_of>/current.json                  which version of this as_of counts
<dataset>/current.json                                the version with the newest as_of
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf, folder_name, is_folder_name
from shopmill.errors import DamagedError, InvalidInputError, StoreError
from shopmill.versions import layout
from shopmill.versions.index import Line, Lines, VersionIndex
from shopmill.versions.manifest import Manifest
from shopmill.versions.manifests import Manifests
from shopmill.versions.pointers import Pointers
from shopmill.versions.proof import faults
from shopmill.versions.store import Store, to_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFile:
    """A file of a version where it lies."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Versions:
    """The published versions of one dataset."""

    store: Store
    dataset: str
    zone: ZoneInfo

    @property
    def manifests(self) -> Manifests:
        """What the versions say of themselves."""
        return Manifests(self.store, self.dataset, self.zone)

    @property
    def _pointers(self) -> Pointers:
        return Pointers(self.manifests)

    def current(self) -> Manifest | None:
        """The version with the newest as_of."""
        return self._pointers.named(self._pointers.newest)

    def at(self, as_of: AsOf) -> Manifest | None:
        """The current version of exactly this as_of."""
        return self._pointers.named(self._pointers.of(as_of))

    def before(self, as_of: AsOf) -> Manifest | None:
        """The newest version of an earlier as_of: what a run continues from. A rerun continues from the same one."""
        earlier = [found for found in self.as_ofs() if found.instant < as_of.instant]
        return next((found for known in reversed(earlier) if (found := self.at(known))), None)

    def exactly(self, as_of: str, version: str) -> Manifest:
        """One version; FileNotFoundError where it is not there, DamagedError where it cannot be read."""
        return self.manifests.exactly(as_of, version)

    def previous_of(self, manifest: Manifest) -> Manifest | None:
        """The version that a version continued from and was compared with; None for a first one, or when it was deleted."""
        previous = manifest.previous
        return self.manifests.find(previous.as_of, previous.version) if previous else None

    def need(self, as_of: AsOf | None) -> Manifest:
        """The version of an as_of, or the current one; InvalidInputError where there is none."""
        found = self.at(as_of) if as_of else self.current()
        if found:
            return found
        where = f"as of {as_of.label}" if as_of else "at all"
        if as_of and (reason := self.why_withdrawn(as_of)):
            raise InvalidInputError(f"{self.dataset} {where} was withdrawn: {reason}.")
        known = ", ".join(known.label for known in self.as_ofs()[-3:])
        raise InvalidInputError(
            f"{self.dataset} has no version {where} in {self.store.url}"
            + (f" (newest: {known})." if known else f": run `shopmill run {self.dataset} --as-of DATE`.")
        )

    def why_withdrawn(self, as_of: AsOf) -> str | None:
        """Why an as_of has no version any more, if one was withdrawn."""
        reasons = (line.withdrawn for line in self._from_folder(as_of.path) if line.withdrawn)
        return next(reasons, None)

    def as_ofs(self) -> list[AsOf]:
        """All as_ofs that something was published for, ascending."""
        return sorted(AsOf.from_path(name, self.zone) for name in self._as_of_folders())

    def _as_of_folders(self) -> list[str]:
        return [name for name in self.store.folders(self.dataset) if is_folder_name(name)]

    def lines(self, look_again: bool = False) -> Lines:
        """What there is, in short: as the index says, and as the folders say where it says nothing.

        With `look_again` every folder is compared with it, which costs an object store a request each.
        """
        index, folders = self._index, set(self._as_of_folders())
        ids: dict[str, set[str]] = defaultdict(set)
        known: Lines = {}
        for name, line in index.lines().items():
            if (folder := folder_name(line.as_of)) in folders:  # parsing a year of as_ofs would take a second
                known[name] = line
                ids[folder].add(line.version)
        unknown = [
            folder for folder in folders if folder not in ids or (look_again and self._ids(folder) != ids[folder])
        ]
        found = {(line.as_of, line.version): line for folder in sorted(unknown) for line in self._from_folder(folder)}
        due = [line for line in known.values() if not line.whole and self.manifests.find(line.as_of, line.version)]
        news = found | {(line.as_of, line.version): replace(line, whole=True) for line in due}
        if news:
            try:
                index.put(news.values())
            except StoreError as error:  # who may only read finds it again
                log.info("The index is not kept: %s", error)
        return known | news

    @property
    def _index(self) -> VersionIndex:
        return VersionIndex(self.store, self.dataset, self.zone)

    def _ids(self, as_of_folder: str) -> set[str]:
        folders = self.store.folders(f"{self.dataset}/{as_of_folder}")
        return set(layout.versions_among(folders))

    def _from_folder(self, as_of_folder: str) -> Iterator[Line]:
        """The lines of the versions of an as_of, and of folders without a version, by reading them."""
        label = AsOf.from_path(as_of_folder, self.zone).label
        for version in sorted(self._ids(as_of_folder)):
            folder = layout.version_folder(f"{self.dataset}/{as_of_folder}", version)
            entries = self.store.entries(folder)
            at = max((entry.modified for entry in entries), default=datetime.now(UTC))
            if manifest := self.manifests.readable(layout.manifest_in(folder)):
                yield replace(Line.of(manifest, at), withdrawn=self.manifests.withdrawn(manifest) or "")
            else:
                size = sum(entry.bytes for entry in entries)
                yield Line(label, version, 0, 0, size, len(entries), at.isoformat(timespec="seconds"), whole=False)

    def counted(self, lines: Lines) -> Lines:
        """The current version of each as_of. A pointer is read only where it could name more than one."""
        by_as_of: dict[str, list[Line]] = defaultdict(list)
        for line in lines.values():
            if line.whole and not line.withdrawn:
                by_as_of[line.as_of].append(line)
        return {(as_of, one.version): one for as_of, found in by_as_of.items() for one in [self._counted(as_of, found)]}

    def _counted(self, as_of: str, found: list[Line]) -> Line:
        newest = max(found, key=lambda line: (line.at, line.version))
        if len(found) == 1:
            return newest
        pointer = self._pointers.read(self.pointer_key(as_of))
        return next((line for line in found if pointer and line.version == pointer["version"]), newest)

    def folders(self) -> set[str]:
        """The folders that have a manifest, be it one that can be read or not."""
        if self.store.root is None:
            manifests = layout.manifests(self.store.keys(self.dataset))
            return {key.rsplit("/", 1)[0] for key in manifests if is_folder_name(key.split("/")[1])}
        below = (
            (f"{self.dataset}/{as_of}", version) for as_of in self._as_of_folders() for version in self._ids(as_of)
        )
        found = {layout.version_folder(*one) for one in below}
        return {folder for folder in found if self.store.exists(layout.manifest_in(folder))}

    def folder_of_line(self, line: Line) -> str:
        """The key prefix of a version that the index names."""
        return layout.version_folder(f"{self.dataset}/{folder_name(line.as_of)}", line.version)

    def name_of(self, folder: str) -> tuple[str, str]:
        """The as_of and the id of the version in a folder."""
        _, as_of, version = folder.split("/")
        return AsOf.from_path(as_of, self.zone).label, layout.versions_among([version])[0]

    def all(self, but: Collection[str] = ()) -> list[Manifest]:
        """Every version, by as_of and id, except those in the folders of `but`."""
        found = self.each(but)
        return sorted(found, key=lambda manifest: (AsOf.parse(manifest.as_of, self.zone), manifest.version))

    def each(self, but: Collection[str] = ()) -> Iterator[Manifest]:
        """The same one after another, by folder."""
        for folder in sorted(self.folders().difference(but)):
            if manifest := self.manifests.readable(layout.manifest_in(folder)):
                yield manifest

    def is_current(self, manifest: Manifest) -> bool:
        """Whether a version is the current one of its as_of."""
        found = self.at(AsOf.parse(manifest.as_of, self.zone))
        return found is not None and found.version == manifest.version

    def is_newest(self, as_of: AsOf) -> bool:
        """Whether a version of this as_of is the current one, or would be once it is published."""
        current = self.current()
        return current is None or AsOf.parse(current.as_of, self.zone).instant <= as_of.instant

    def keys_of(self, manifest: Manifest, table: str) -> list[str]:
        """Store keys of a table's files; DamagedError where one of them leads out of the version's folder."""
        folder = self.folder(manifest)
        keys = [f"{folder}/{file.path}" for file in manifest.files(table)]
        self.store.stay_inside(keys, folder)
        return keys

    def faults(
        self,
        manifest: Manifest,
        name: str | None = None,
        hashes: bool = False,
    ) -> dict[str, str]:
        """What is wrong with the files of a version, or of one table or artifact of it, by key."""
        return faults(self.store, self.sealed(manifest, name), self.folder(manifest), hashes)

    def sealed(self, manifest: Manifest, name: str | None = None) -> list[StoredFile]:
        """The files of a version, or of one table or artifact of it, where they lie."""
        names = [name] if name else [*manifest.tables, *manifest.artifacts]
        folder = self.folder(manifest)
        return [StoredFile(f"{folder}/{f.path}", f.bytes, f.sha256) for n in names for f in manifest.files(n)]

    def lines_of_folders(self) -> list[Line]:
        """What there is, read from the folders alone."""
        return [line for folder in self._as_of_folders() for line in self._from_folder(folder)]

    def folder(self, manifest: Manifest) -> str:
        """The key prefix of a version."""
        return self.manifests.folder(manifest)

    def publish(
        self,
        manifest: Manifest,
        staged: Mapping[str, str],
        confirm: Callable[[], None] = lambda: None,
        described: Mapping[str, bytes] | None = None,
    ) -> bool:
        """Makes a version visible: moves `staged` (path in the version: staging key), then the manifest, then the pointers.

        `described` are files beside the manifest that say the same in other words; no part of the version.
        Says whether anything was new. Safe to repeat after a crash at any point. `confirm` raises where the lock was
        lost: it is asked before the manifest and before the pointers.
        """
        folder = self.folder(manifest)
        self._refuse_withdrawn(manifest)
        is_new = self.manifests.readable(layout.manifest_in(folder)) is None
        damaged = {} if is_new else self.faults(manifest, hashes=True)
        line = Line.of(manifest, datetime.now(UTC), whole=False)
        if damaged:
            log.warning("%s: %d files are damaged and are written again.", self.store.uri(folder), len(damaged))
        if is_new:
            self._index.put([line])
        self._move(staged, folder, [path for path in staged if is_new or f"{folder}/{path}" in damaged])
        if is_new:
            for name, text in (described or {}).items():
                self.store.write(f"{folder}/{name}", text)
        confirm()
        if is_new:
            self._write_manifest(layout.manifest_in(folder), manifest)
        confirm()
        self._point(manifest)
        if is_new:
            self._index.put([replace(line, whole=True)])
        return is_new

    def _refuse_withdrawn(self, manifest: Manifest) -> None:
        if reason := self.manifests.withdrawn(manifest):
            raise InvalidInputError(
                f"Version {manifest.version} of {self.dataset} as of {manifest.as_of} was withdrawn: {reason}. "
                f"Fix what it is made of, or run `shopmill unpublish {self.dataset} {manifest.as_of} --undo`."
            )

    def _move(self, staged: Mapping[str, str], folder: str, paths: list[str]) -> None:
        """Puts files into the folder of a version; their names are on the disk afterwards, as their bytes were before."""
        self.store.each(lambda path: self.store.copy(staged[path], f"{folder}/{path}"), paths)
        self.store.flush_names(f"{folder}/{path}" for path in paths)

    def _write_manifest(self, key: str, manifest: Manifest) -> None:
        if not self.store.create(key, manifest.to_json()):
            self.store.write(key, manifest.to_json())  # it was there, and damaged

    def withdraw(self, as_of: AsOf, reason: str) -> Manifest | None:
        """Takes the version of an as_of out of service, and keeps why; gives the current one there now, if any.

        InvalidInputError where there is none. Safe to repeat: the reason is written before the pointers move.
        """
        manifest = self.need(as_of)
        said = {"reason": reason, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self.store.write(f"{self.folder(manifest)}/{layout.WITHDRAWN}", to_json(said))
        self.repoint(as_of)
        self._mark(manifest, reason)
        return self.at(as_of)

    def restore(self, as_of: AsOf) -> Manifest:
        """Puts the newest withdrawn version of an as_of into service again."""
        label, lines = as_of.label, self.lines().values()
        found = [line for line in lines if line.as_of == label and line.withdrawn and line.whole]
        if not found:
            raise InvalidInputError(f"No version of {self.dataset} as of {label} was withdrawn.")
        newest = max(found, key=lambda line: (line.at, line.version))
        manifest = self.manifests.find(label, newest.version)
        if manifest is None:
            raise DamagedError(
                f"The manifest of version {newest.version} of {self.dataset} as of {label} is missing or damaged. "
                f"Run `shopmill repair`, then `shopmill run {self.dataset} --as-of {label}`."
            )
        self.store.delete_keys([f"{self.folder(manifest)}/{layout.WITHDRAWN}"])
        self._point(manifest)
        self._mark(manifest, "")
        return manifest

    def _mark(self, manifest: Manifest, withdrawn: str) -> None:
        line = self.lines().get((manifest.as_of, manifest.version)) or Line.of(manifest, datetime.now(UTC))
        self._index.put([replace(line, withdrawn=withdrawn)])

    def repoint(self, as_of: AsOf) -> None:
        """Lets the pointers name what is left: the newest version of the as_of, the newest as_of that has one."""
        for key in (self._pointers.of(as_of), self._pointers.newest):
            self._pointers.move_back(key)

    def keep_pointed_to(self, manifest: Manifest) -> None:
        """Writes pointers again that are damaged or missing, where this version counts at its as_of."""
        if self.at(AsOf.parse(manifest.as_of, self.zone)) == manifest:
            self._point(manifest)

    def is_pointed_to(self, manifest: Manifest) -> bool:
        """Whether all pointers that should name this version do."""
        return self._pointers.all_name(manifest, *self._pointers_to(manifest))

    def pointer_key(self, as_of: str) -> str:
        """The key of the pointer of an as_of."""
        return self._pointers.of(AsOf.parse(as_of, self.zone))

    def _point(self, manifest: Manifest) -> None:
        self._pointers.name(manifest, *self._pointers_to(manifest))

    def _pointers_to(self, manifest: Manifest) -> list[str]:
        own = self.pointer_key(manifest.as_of)
        return [own, self._pointers.newest] if self.is_newest(AsOf.parse(manifest.as_of, self.zone)) else [own]
