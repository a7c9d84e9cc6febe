"""The versions of datasets in a store: finding them, and publishing one.

<dataset>/as_of=<as_of>/version=<id>/<table>/part-00000.parquet
<dataset>/as_of=<as_of>/version=<id>/manifest.json    written last: with it the version exists
<dataset>/as_of=<as_of>/current.json                  which version of this as_of counts
<dataset>/current.json                                the version with the newest as_of
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import faults
from shopmill.versions.store import Store, to_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """A file of a version where it lies."""

    key: str
    bytes: int
    sha256: str


def folder_of(dataset: str, as_of: AsOf, version: str) -> str:
    """The key prefix of a version."""
    return f"{dataset}/{as_of.path}/version={version}"


@dataclass(frozen=True)
class Versions:
    """The published versions of one dataset."""

    store: Store
    dataset: str
    zone: ZoneInfo

    def current(self) -> Manifest | None:
        """The version with the newest as_of."""
        return self._pointed_to(f"{self.dataset}/current.json")

    def at(self, as_of: AsOf) -> Manifest | None:
        """The version that counts at exactly this as_of."""
        return self._pointed_to(f"{self.dataset}/{as_of.path}/current.json")

    def before(self, as_of: AsOf) -> Manifest | None:
        """The newest version of an earlier as_of: what a run continues from. A rerun continues from the same one."""
        earlier = [found for found in self.as_ofs() if found.instant < as_of.instant]
        return next((found for known in reversed(earlier) if (found := self.at(known))), None)

    def previous_of(self, manifest: Manifest) -> Manifest | None:
        """The version that a version continued from and was compared with; None for a first one, or when it is gone."""
        previous = manifest.beside["previous"]
        return self._find(previous["as_of"], previous["version"]) if previous else None

    def need(self, as_of: AsOf | None) -> Manifest:
        """The version of an as_of, or the current one; InvalidInputError where there is none."""
        found = self.at(as_of) if as_of else self.current()
        if found:
            return found
        where = f"as of {as_of.label}" if as_of else "at all"
        known = ", ".join(known.label for known in self.as_ofs()[-3:])
        raise InvalidInputError(
            f"{self.dataset} has no version {where} in {self.store.url}"
            + (f" (newest: {known})." if known else f": run `shopmill run {self.dataset} --as-of DATE`.")
        )

    def as_ofs(self) -> list[AsOf]:
        """All as_ofs that something was published for, ascending."""
        folders = [name for name in self.store.folders(self.dataset) if name.startswith("as_of=")]
        return sorted(AsOf.from_path(name, self.zone) for name in folders)

    def all(self) -> list[Manifest]:
        """Every version, by as_of and id."""
        keys = [key for key in self.store.keys(self.dataset) if key.endswith("/manifest.json")]
        found = [manifest for key in keys if (manifest := self._readable(key))]
        return sorted(found, key=lambda manifest: (AsOf.parse(manifest.as_of, self.zone), manifest.version))

    def is_current(self, manifest: Manifest) -> bool:
        """Whether a version is the one that counts at its as_of."""
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

    def faults(self, manifest: Manifest, name: str | None = None, hashes: bool = False) -> dict[str, str]:
        """What is wrong with the files of a version, or of one table or artifact of it, by key."""
        names = [name] if name else [*manifest.tables, *manifest.artifacts]
        folder = self.folder(manifest)
        sealed = [Published(f"{folder}/{f.path}", f.bytes, f.sha256) for n in names for f in manifest.files(n)]
        return faults(self.store, sealed, folder, hashes)

    def folder(self, manifest: Manifest) -> str:
        """The key prefix of a version."""
        return folder_of(self.dataset, AsOf.parse(manifest.as_of, self.zone), manifest.version)

    def publish(
        self, manifest: Manifest, staged: Mapping[str, str], confirm: Callable[[], None] = lambda: None
    ) -> bool:
        """Makes a version visible: moves `staged` (path in the version: staging key), then the manifest, then the pointers.

        Says whether anything was new. Safe to repeat after a crash at any point. `confirm` raises where the lock was
        lost: it is asked before the manifest and before the pointers.
        """
        folder = self.folder(manifest)
        key = f"{folder}/manifest.json"
        is_new = self._readable(key) is None
        damaged = {} if is_new else self.faults(manifest, hashes=True)
        due = [path for path in staged if is_new or f"{folder}/{path}" in damaged]
        if damaged:
            log.warning("%s: %d files are damaged and are written again.", self.store.uri(folder), len(damaged))
        self.store.each(lambda path: self.store.copy(staged[path], f"{folder}/{path}"), due)
        self.store.flush(f"{folder}/{path}" for path in due)
        confirm()
        if is_new and not self.store.create(key, manifest.to_json()):
            self.store.write(key, manifest.to_json())  # it was there, and damaged
        confirm()
        self._point(manifest)
        return is_new

    def _point(self, manifest: Manifest) -> None:
        as_of = AsOf.parse(manifest.as_of, self.zone)
        pointer = {"as_of": manifest.as_of, "version": manifest.version}
        self._write_pointer(f"{self.dataset}/{as_of.path}/current.json", pointer)
        if self.is_newest(as_of):
            self._write_pointer(f"{self.dataset}/current.json", pointer)

    def _write_pointer(self, key: str, pointer: Mapping[str, Any]) -> None:
        if self._pointer(key) != pointer:
            self.store.write(key, to_json(pointer))

    def _pointed_to(self, key: str) -> Manifest | None:
        """The version that a pointer names; the newest whole one below its folder where what it says is damaged."""
        if not (pointer := self._pointer(key)):
            return next(self._newest_first(key), None) if pointer is not None else None
        if found := self._find(pointer["as_of"], pointer["version"]):
            return found
        log.warning("%s names version %s, which is missing or damaged.", self.store.uri(key), pointer["version"])
        return next(self._newest_first(key), None)

    def _pointer(self, key: str) -> dict[str, str] | None:
        """What a pointer says: nothing ({}) where it is damaged, None where there is none."""
        try:
            said = self.store.read_json(key)
            AsOf.parse(said["as_of"], self.zone)
            return {"as_of": said["as_of"], "version": str(said["version"])}
        except FileNotFoundError:
            return None
        except DamagedError as error:
            log.warning("%s", error)
        except (KeyError, TypeError, ValueError, InvalidInputError):
            log.warning("%s does not name a version: it is damaged. Run `shopmill repair`.", self.store.uri(key))
        return {}

    def _newest_first(self, pointer: str) -> Iterator[Manifest]:
        """Whole versions that a pointer could name: by as_of, those of one as_of by when they were published."""
        below = self.store.entries(pointer.removesuffix("/current.json"))
        found = [entry for entry in below if entry.key.endswith("/manifest.json")]
        at = {entry.key: AsOf.from_path(entry.key.split("/")[1], self.zone) for entry in found}
        for entry in sorted(found, key=lambda entry: (at[entry.key], entry.modified), reverse=True):
            if manifest := self._readable(entry.key):
                yield manifest

    def _readable(self, key: str) -> Manifest | None:
        """The manifest under a key; None, and a warning where it is damaged, when there is none to read."""
        try:
            return self._manifest(key)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            log.warning("%s", error)
            return None

    def _find(self, as_of: str, version: str) -> Manifest | None:
        return self._readable(self._manifest_key(as_of, version))

    def exactly(self, as_of: str, version: str) -> Manifest:
        """The manifest of one version; FileNotFoundError where it is not there, DamagedError where it cannot be read."""
        return self._manifest(self._manifest_key(as_of, version))

    def _manifest_key(self, as_of: str, version: str) -> str:
        return f"{folder_of(self.dataset, AsOf.parse(as_of, self.zone), version)}/manifest.json"

    def _manifest(self, key: str) -> Manifest:
        document = self.store.read_json(key)
        try:
            manifest = Manifest.from_document(document)
            key_of_it = self._manifest_key(manifest.as_of, manifest.version)
            is_right = key == key_of_it and manifest.dataset == self.dataset and manifest.stays_inside
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInputError):
            is_right = False
        if not is_right:
            raise DamagedError(
                f"{self.store.uri(key)} is not the manifest that was published there: it is damaged. Run `shopmill repair`."
            )
        return manifest
