"""Versions without a person: each gets a successor, which has its unchanged files and says which version it was.

Also versions that never named the person get one where they were read from rows that did, or were made of such a version:
a manifest says what it was made of.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.settings import user_cache
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.journal import WORK, Successor
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.raw import Snapshots
from shopmill.trust.erasure.rows import rewrite
from shopmill.versions import layout
from shopmill.versions.index import Line, Name, VersionIndex
from shopmill.versions.manifest import ERASED_FROM, File, Manifest
from shopmill.versions.standards import describe
from shopmill.versions.store import Store, sha256_of, to_json
from shopmill.versions.versions import Versions, folder_of


class Succession:
    """Makes the successors of all versions, with their files, and makes none of them visible."""

    def __init__(self, holdings: Holdings, due: list[Holding], person: Person, snapshots: Snapshots):
        self._holdings, self._person, self._snapshots = holdings, person, snapshots
        self._due = {holding.sha256: holding for holding in due}
        self._instead: dict[str, tuple[File, str]] = {}
        self._by_name = {
            (manifest.dataset, manifest.as_of, manifest.version): manifest
            for manifests in holdings.manifests.values()
            for manifest in manifests
        }
        self._made: dict[Name, Manifest] = {}

    def make(self) -> tuple[Successor, ...]:
        """The successors of those versions that need one, in the order in which the versions were published."""
        found = [self._successor(name) for name in self._by_name if self._differs(name)]
        return tuple(sorted(found, key=lambda one: (one.dataset, one.line["at"], one.old)))

    def _differs(self, name: Name) -> bool:
        return self._after(name).to_json() != self._by_name[name].to_json()

    def _after(self, name: Name) -> Manifest:
        """A version as it will be; itself where nothing of it changes."""
        if name not in self._made:
            manifest = self._by_name[name]
            content = self._content(manifest)
            if content != manifest.content:
                content[ERASED_FROM] = [*manifest.erased_from, manifest.version]
            self._made[name] = Manifest(manifest.dataset, manifest.as_of, content, self._beside(manifest))
        return self._made[name]

    def _content(self, manifest: Manifest) -> dict[str, Any]:
        content = copy.deepcopy(dict(manifest.content))
        for table in content["tables"].values():
            table["files"] = [vars(self._file(File(**file))) for file in table["files"]]
        content["inputs"] = {name: self._input(manifest, name, made) for name, made in content["inputs"].items()}
        return content

    def _input(self, manifest: Manifest, name: str, made: Mapping[str, Any]) -> Mapping[str, Any]:
        if "version" in made:
            before = (name, made["as_of"], made["version"])
            if before not in self._by_name:
                return made
            after = self._after(before)
            return {**made, "rows": after.summary.rows, "version": after.version}
        noted = manifest.beside.get("snapshots", {}).get(name)
        read = self._snapshots.input_of(noted["key"]) if noted else None
        return {**made, **read} if read else made

    def _beside(self, manifest: Manifest) -> dict[str, Any]:
        beside = dict(manifest.beside)
        if checks := beside.get("checks"):
            beside["checks"] = [self._check(check) for check in checks]
        if previous := beside.get("previous"):
            name = (manifest.dataset, previous["as_of"], previous["version"])
            beside["previous"] = (
                {**previous, "version": self._after(name).version} if name in self._by_name else previous
            )
        return beside

    def _check(self, check: Mapping[str, Any]) -> dict[str, Any]:
        said = {name: self._person.masked_document(check[name]) for name in ("detail", "examples") if name in check}
        return {**check, **said}

    def _file(self, file: File) -> File:
        """The file that takes the place of one; the file itself where it names nobody who is erased."""
        if file.sha256 not in self._due:
            return file
        made, _ = self._written(file.sha256)
        return replace(made, path=file.path)

    def _written(self, sha256: str) -> tuple[File, str]:
        """A file written again, once for all versions that have it, and the key where it waits."""
        if sha256 not in self._instead:
            path = self._holdings.scratch / "versions" / f"{sha256}.parquet"
            rows = rewrite(self._holdings.path(self._due[sha256]), path, self._person)
            made = File("", rows, path.stat().st_size, sha256_of(path))
            key = f"{WORK}/files/{made.sha256}.parquet"
            self._holdings.store.adopt(path, key)
            self._instead[sha256] = (made, key)
        return self._instead[sha256]

    def _successor(self, name: Name) -> Successor:
        before, after = self._by_name[name], self._after(name)
        versions, store = self._holdings.versions(before.dataset), self._holdings.store
        line = self._line(versions, before, after)
        key = f"{WORK}/manifests/{versions.folder(before)}.json"
        store.write(key, after.to_json())
        if after.version != before.version:
            self._copy_files(versions, before, after)
        said = self._withdrawn(store, versions.folder(before))
        return Successor(before.dataset, before.as_of, before.version, after.version, key, asdict(line), said)

    def _line(self, versions: Versions, before: Manifest, after: Manifest) -> Line:
        known = versions.lines().get((before.as_of, before.version))
        at = known.published_at if known else datetime.now(UTC)
        return replace(Line.of(after, at), withdrawn=self._person.masked(known.withdrawn if known else ""))

    def _withdrawn(self, store: Store, folder: str) -> dict[str, str] | None:
        try:
            said: dict[str, str] = store.read_json(f"{folder}/{layout.WITHDRAWN}")
        except (DamagedError, FileNotFoundError):
            return None
        return {name: self._person.masked(str(value)) for name, value in said.items()}

    def _copy_files(self, versions: Versions, before: Manifest, after: Manifest) -> None:
        old, new = versions.folder(before), versions.folder(after)
        pairs = list(zip(before.all_files, after.all_files, strict=True))
        instead = {made.sha256: key for made, key in self._instead.values()}
        sources = {
            f"{new}/{now.path}": f"{old}/{was.path}" if now == was else instead[now.sha256] for was, now in pairs
        }
        if all(now == was for was, now in pairs) and versions.store.exists(f"{old}/{layout.STATISTICS}"):
            sources[f"{new}/{layout.STATISTICS}"] = f"{old}/{layout.STATISTICS}"
        versions.store.each(lambda key: versions.store.copy(sources[key], key), list(sources))
        versions.store.flush(sources)


class Replacement:
    """Puts the successors of one dataset in the place of their versions. May be done again after a crash at any point."""

    def __init__(self, versions: Versions, successors: list[Successor]):
        self._versions, self._store, self._successors = versions, versions.store, successors

    def put(self) -> None:
        """Manifests first, then the index and the pointers; then the old ones go."""
        index = VersionIndex(self._store, self._versions.dataset, self._versions.zone)
        for one in self._successors:
            self._write(one)
        index.put([one.index_line for one in self._successors])
        self._point()
        gone = [one for one in self._successors if one.old != one.new]
        for one in gone:
            self._store.set_aside(self._folder(one, one.old))
        index.remove([replace(one.index_line, version=one.old) for one in gone])
        self._store.delete(layout.TRASH)

    def _write(self, one: Successor) -> None:
        manifest = self.manifest(one)
        folder = self._folder(one, one.new)
        for name, text in describe(manifest).items():
            self._store.write(f"{folder}/{name}", text)
        if one.withdrawn:
            self._store.write(f"{folder}/{layout.WITHDRAWN}", to_json(dict(one.withdrawn)))
        self._store.write(layout.manifest_in(folder), manifest.to_json())

    def manifest(self, one: Successor) -> Manifest:
        """The manifest of a successor."""
        return Manifest.from_document(self._store.read_json(one.manifest))

    def _folder(self, one: Successor, version: str) -> str:
        return folder_of(one.dataset, AsOf.parse(one.as_of, self._versions.zone), version)

    def _point(self) -> None:
        new = {(one.as_of, one.old): one.new for one in self._successors}
        pointers = [self._versions.pointer_key(one.as_of) for one in self._successors]
        for key in dict.fromkeys([*pointers, layout.pointer_in(self._versions.dataset)]):
            try:
                said = self._store.read_json(key)
            except (DamagedError, FileNotFoundError):
                continue
            if version := new.get((said.get("as_of"), said.get("version"))):
                self._store.write(key, to_json({**said, "version": version}))


def dead_folders(holdings: Holdings) -> Iterator[str]:
    """Folders of versions that were never finished: nobody can read them, and they may name anybody."""
    for dataset in holdings.datasets:
        folders = {key.rsplit("/", 1)[0] for key in layout.manifests(holdings.store.keys(dataset))}
        for as_of in holdings.store.folders(dataset):
            for version in holdings.store.folders(f"{dataset}/{as_of}"):
                folder = f"{dataset}/{as_of}/{version}"
                if layout.versions_among([version]) and folder not in folders:
                    yield folder


def folder_on_this_machine(version: str) -> Path:
    """Where files of a version on S3 are kept for who reads them on this machine."""
    return user_cache() / "shopmill" / "versions" / version
