"""Which version counts: a dataset has a pointer to its newest as_of, and each as_of has one to its current version."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopmill.asof import AsOf, is_folder_name
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest
from shopmill.versions.manifests import Manifests
from shopmill.versions.store import to_json

log = logging.getLogger(__name__)
ID = re.compile(r"\w{1,64}", re.ASCII)


@dataclass(frozen=True)
class Pointers:
    """Those of one dataset. What a pointer says counts where it can be read; else the newest whole version does."""

    manifests: Manifests

    @property
    def newest(self) -> str:
        """The key of the pointer to the newest as_of."""
        return layout.pointer_in(self.manifests.dataset)

    def of(self, as_of: AsOf) -> str:
        """The key of the pointer of an as_of."""
        return layout.pointer_in(f"{self.manifests.dataset}/{as_of.path}")

    def named(self, key: str) -> Manifest | None:
        """The version that a pointer names; the newest whole one below its folder where what it says is damaged."""
        if not (pointer := self.read(key)):
            return next(self._newest_first(key), None) if pointer is not None else None
        if found := self.manifests.find(pointer["as_of"], pointer["version"]):
            return found
        log.warning("%s names version %s, which is missing or damaged.", self._uri(key), pointer["version"])
        return next(self._newest_first(key), None)

    def read(self, key: str) -> dict[str, str] | None:
        """What a pointer says: nothing ({}) where it is damaged, None where there is none."""
        try:
            said = self.manifests.store.read_json(key)
            if self._may_name(key, said["as_of"], said["version"]):
                return {"as_of": said["as_of"], "version": said["version"]}
            log.warning("%s names something that it cannot name: it is damaged. Run `shopmill repair`.", self._uri(key))
        except FileNotFoundError:
            return None
        except DamagedError as error:
            log.warning("%s", error)
        except (KeyError, TypeError, ValueError, InvalidInputError):
            log.warning("%s does not name a version: it is damaged. Run `shopmill repair`.", self._uri(key))
        return {}

    def name(self, manifest: Manifest, *keys: str) -> None:
        """Lets pointers name a version, where they do not."""
        pointer = _to(manifest)
        for key in keys:
            if self.read(key) != pointer:
                self.manifests.store.write(key, to_json(pointer))

    def all_name(self, manifest: Manifest, *keys: str) -> bool:
        """Whether all these pointers name a version."""
        return all(self.read(key) == _to(manifest) for key in keys)

    def move_back(self, key: str) -> None:
        """Lets a pointer name the newest of the versions that are left to it; it goes where there is none."""
        if left := next(self._newest_first(key), None):
            self.name(left, key)
        elif self.manifests.store.exists(key):
            self.manifests.store.delete_keys([key])

    def _uri(self, key: str) -> str:
        return self.manifests.store.uri(key)

    def _may_name(self, key: str, as_of: str, version: str) -> bool:
        """Whether a pointer may say this: that of an as_of names no other one, and an id is a word."""
        own = self.of(AsOf.parse(as_of, self.manifests.zone))
        return key in {self.newest, own} and ID.fullmatch(version) is not None

    def _newest_first(self, key: str) -> Iterator[Manifest]:
        """Whole versions that a pointer could name: by as_of, those of one as_of by when they were published."""
        below = {entry.key: entry for entry in self.manifests.store.entries(layout.folder_of_pointer(key))}
        found = [below[key] for key in layout.manifests(below) if is_folder_name(key.split("/")[1])]
        at = {entry.key: AsOf.from_path(entry.key.split("/")[1], self.manifests.zone) for entry in found}
        for entry in sorted(found, key=lambda entry: (at[entry.key], entry.modified), reverse=True):
            manifest = self.manifests.readable(entry.key)
            if manifest and not self.manifests.withdrawn(manifest):
                yield manifest


def _to(manifest: Manifest) -> Mapping[str, Any]:
    return {"as_of": manifest.as_of, "version": manifest.version}
