"""What a look at many versions needs of a manifest: the files, and what they were made of.

Columns, code and checks are most of a manifest. They are passed over, by a parser that knows what is wanted: that takes an
eighth of the time of reading all. What is not written as `to_json` writes it, or not as expected, `Manifest` decides about.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from shopmill.errors import DamagedError
from shopmill.versions import layout
from shopmill.versions.manifest import Manifest, id_in, leads_out
from shopmill.versions.manifests import Manifests
from shopmill.versions.versions import StoredFile, Versions

log = logging.getLogger(__name__)


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A file, by its path in the folder of the version."""

    path: str
    bytes: int
    sha256: str
    rows: int = 0


class Table(msgspec.Struct, frozen=True):
    """A table or an artifact."""

    files: list[File]


class Input(msgspec.Struct, frozen=True):
    """What a version was made of: rows of the shop, by their hash, or a version."""

    sha256: str = ""
    as_of: str = ""
    version: str = ""


class Content(msgspec.Struct, frozen=True):
    """What the id hashes."""

    tables: dict[str, Table]
    inputs: dict[str, Input] = {}
    artifacts: dict[str, Table] = {}
    erased_from: list[str] = []


class Noted(msgspec.Struct, frozen=True):
    """A snapshot that a version was read from."""

    key: str


class Check(msgspec.Struct, frozen=True):
    """A check: whether it is one."""

    name: Any
    passed: Any
    severity: Any


class Previous(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The previous version."""

    as_of: str
    version: str


class Outline(msgspec.Struct, frozen=True, dict=True):
    """A manifest without what only a look at one version needs."""

    dataset: str
    as_of: str
    version: str
    content: Content
    snapshots: dict[str, Noted] = {}
    previous: Previous | None = None
    checks: list[Check] = []
    making: str = ""

    @cached_property
    def files(self) -> list[File]:
        """The files of all tables and artifacts."""
        every = (*self.content.tables.values(), *self.content.artifacts.values())
        return [file for table in every for file in table.files]

    @property
    def by_table(self) -> Iterator[tuple[str, File]]:
        """The files of tables, each with the name of its table."""
        return ((name, file) for name, table in self.content.tables.items() for file in table.files)

    def sealed(self, folder: str) -> list[StoredFile]:
        """The same where they lie."""
        return [StoredFile(f"{folder}/{file.path}", file.bytes, file.sha256) for file in self.files]

    @property
    def stays_inside(self) -> bool:
        """Whether the paths of all files lie below the version's folder."""
        return not any(leads_out(file.path) for file in self.files)


DECODER = msgspec.json.Decoder(Outline)


@dataclass(frozen=True)
class Outlines:
    """The outlines of the versions of one dataset."""

    versions: Versions

    @property
    def _manifests(self) -> Manifests:
        return self.versions.manifests

    def each(self, but: Collection[str] = ()) -> Iterator[tuple[str, Outline]]:
        """Every version that can be read, with its folder, one after another, except those in the folders of `but`."""
        for folder in sorted(self.versions.folders().difference(but)):
            try:
                yield folder, self.under(layout.manifest_in(folder))
            except FileNotFoundError:
                continue
            except DamagedError as error:
                log.warning("%s", error)

    def exactly(self, as_of: str, version: str) -> tuple[str, Outline]:
        """One version, with its folder; FileNotFoundError where it is not there, DamagedError where it cannot be read."""
        key = self._manifests.key(as_of, version)
        return layout.folder_of_version(key), self.under(key)

    def under(self, key: str) -> Outline:
        """The outline of the manifest under a key; the errors of `Manifests.under`."""
        data = self._manifests.store.document(key)
        return self._at_once(key, data) or _of(self._manifests.of(key, data))

    def _at_once(self, key: str, data: bytes) -> Outline | None:
        """The outline, where it is sure that it is that of its place."""
        try:
            found, text = DECODER.decode(data), data.decode()
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        is_right = found.dataset == self.versions.dataset and id_in(text, found.dataset, found.as_of) == found.version
        is_right = is_right and key == self._manifests.key(found.as_of, found.version) and found.stays_inside
        return found if is_right else None


def _of(manifest: Manifest) -> Outline:
    """The outline of a manifest that was read in full."""
    content, beside = manifest.content, manifest.beside
    inputs = {name: _input(made) for name, made in content.get("inputs", {}).items()}
    tables, artifacts = (
        {name: _table(manifest, name) for name in some} for some in (manifest.tables, manifest.artifacts)
    )
    snapshots = {name: Noted(noted["key"]) for name, noted in beside.get("snapshots", {}).items()}
    previous = Previous(manifest.previous.as_of, manifest.previous.version) if manifest.previous else None
    made_of = Content(tables, inputs, artifacts, list(manifest.erased_from))
    return Outline(manifest.dataset, manifest.as_of, manifest.version, made_of, snapshots, previous)


def _input(made: Mapping[str, Any]) -> Input:
    return Input(made.get("sha256", ""), made.get("as_of", ""), made.get("version", ""))


def _table(manifest: Manifest, name: str) -> Table:
    return Table([File(file.path, file.bytes, file.sha256, file.rows) for file in manifest.files(name)])
