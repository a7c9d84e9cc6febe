"""Puts the versions without a person in the place of those that had them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.registry.erasures import Renamed
from shopmill.settings import user_cache
from shopmill.trust.erasure.journal import Successor
from shopmill.trust.erasure.versions import AT_ONCE
from shopmill.versions import layout
from shopmill.versions.index import VersionIndex
from shopmill.versions.manifest import Manifest
from shopmill.versions.manifests import folder_of
from shopmill.versions.standards import NAMES, describe
from shopmill.versions.store import to_json
from shopmill.versions.versions import Versions


class Replacement:
    """Puts the successors of one dataset in the place of their versions. May be done again after a crash at any point."""

    def __init__(self, versions: Versions, successors: list[Successor]):
        self._versions, self._store, self._successors = versions, versions.store, successors

    def put(self) -> list[Renamed]:
        """Manifests first, then the index and the pointers; then the old ones go.

        Gives what the registry is to say of those that have another id now.
        """
        index = VersionIndex(self._store, self._versions.dataset, self._versions.zone)
        for some in _together(self._successors):
            self._write(some)
        index.put([one.index_line for one in self._successors])
        self._point()
        gone = [one for one in self._successors if one.old != one.new]
        for one in gone:
            self._store.set_aside(self._folder(one, one.old))
        index.remove([replace(one.index_line, version=one.old) for one in gone])
        self._store.delete(layout.TRASH)
        return [self._renamed(one) for one in gone]

    def _write(self, some: Sequence[Successor]) -> None:
        """What lies beside the manifests first: with its manifest a version exists."""
        beside: dict[str, bytes] = {}
        for one in some:
            folder = self._folder(one, one.new)
            beside |= self._described(one, folder)
            if one.withdrawn:
                beside[f"{folder}/{layout.WITHDRAWN}"] = to_json(dict(one.withdrawn))
        self._store.write_all(beside)
        manifests = {layout.manifest_in(self._folder(one, one.new)): one.manifest for one in some}
        self._store.each(lambda key: self._store.copy(manifests[key], key), list(manifests))
        self._store.flush(manifests)

    def _described(self, one: Successor, folder: str) -> dict[str, bytes]:
        """The descriptions, where a plan of older code has not written them."""
        if one.old == one.new or self._store.exists(f"{folder}/{NAMES[-1]}"):
            return {}
        return {f"{folder}/{name}": text for name, text in describe(self._manifest(one)).items()}

    def _manifest(self, one: Successor) -> Manifest:
        return Manifest.from_bytes(self._store.read(one.manifest))

    def _renamed(self, one: Successor) -> Renamed:
        inputs = self._manifest(one).content["inputs"] if one.inputs is None else one.inputs
        return Renamed(one.dataset, one.old, one.new, one.index_line.rows, one.index_line.bytes, inputs)

    def _folder(self, one: Successor, version: str) -> str:
        return folder_of(one.dataset, AsOf.parse(one.as_of, self._versions.zone), version)

    def _point(self) -> None:
        new = {(one.as_of, one.old): one.new for one in self._successors}
        pointers = [self._versions.pointer_key(one.as_of) for one in self._successors]
        changed: dict[str, bytes] = {}
        for key in dict.fromkeys([*pointers, layout.pointer_in(self._versions.dataset)]):
            try:
                said = self._store.read_json(key)
            except (DamagedError, FileNotFoundError):
                continue
            if version := new.get((said.get("as_of"), said.get("version"))):
                changed[key] = to_json({**said, "version": version})
        self._store.write_all(changed)


def _together(successors: Sequence[Successor]) -> Iterator[Sequence[Successor]]:
    return (successors[start : start + AT_ONCE] for start in range(0, len(successors), AT_ONCE))


def folder_on_this_machine(version: str) -> Path:
    """Where files of a version on S3 are kept for who reads them on this machine."""
    return user_cache() / "shopmill" / "versions" / version
