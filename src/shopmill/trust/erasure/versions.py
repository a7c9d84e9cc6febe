"""Versions without a person: each gets a successor, which has its unchanged files and says which version it was.

Also versions that never named the person get one where they were read from rows that did, or were made of such a version:
a manifest says what it was made of.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.registry.erasures import Renamed
from shopmill.settings import user_cache
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.journal import WORK, Successor
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.raw import Snapshots
from shopmill.trust.erasure.rows import rewrite
from shopmill.versions import layout
from shopmill.versions.index import Line, Lines, Name, VersionIndex
from shopmill.versions.manifest import ERASED_FROM, File, Manifest
from shopmill.versions.manifests import folder_of
from shopmill.versions.standards import describe
from shopmill.versions.store import Store, sha256_of, to_json
from shopmill.versions.versions import Versions

T = TypeVar("T")
AT_ONCE = 100
"""Versions whose files are put on the disk together: that takes less time than one after another."""


class Succession:
    """Makes the successors of all versions, with their files, and makes none of them visible."""

    def __init__(
        self,
        holdings: Holdings,
        due: list[Holding],
        person: Person,
        snapshots: Snapshots,
        report: Callable[[str], None] = lambda _: None,
    ):
        self._holdings, self._person, self._snapshots, self._report = holdings, person, snapshots, report
        self._lines: dict[str, Lines] = {}
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
        due = [name for name in self._by_name if self._differs(name)]
        found: list[Successor] = []
        for some in _together(due):
            found += self._successors(some)
            self._report(f"{len(found):,} of {len(due):,} versions are written without the person")
        return tuple(sorted(found, key=lambda one: (one.dataset, one.line["at"], one.old)))

    def _differs(self, name: Name) -> bool:
        before, after = self._by_name[name], self._after(name)
        return (before.content, before.beside) != (after.content, after.beside)

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
        content = dict(manifest.content)
        content["tables"] = {
            name: {**table, "files": [self._file(file) for file in table["files"]]}
            for name, table in content["tables"].items()
        }
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

    def _file(self, file: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file that takes the place of one; the file itself where it names nobody who is erased."""
        if file["sha256"] not in self._due:
            return file
        made, _ = self._written(file["sha256"])
        return asdict(replace(made, path=file["path"]))

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

    def _successors(self, names: Sequence[Name]) -> list[Successor]:
        store = self._holdings.store
        found = [self._successor(name) for name in names]
        sources: dict[str, str] = {}
        for name, one in zip(names, found, strict=True):
            if one.old != one.new:
                sources |= self._sources(name)
        store.each(lambda key: store.copy(sources[key], key), list(sources))
        store.flush(sources)
        store.write_all({one.manifest: self._after(name).to_json() for name, one in zip(names, found, strict=True)})
        return found

    def _successor(self, name: Name) -> Successor:
        before, after = self._by_name[name], self._after(name)
        versions = self._holdings.versions(before.dataset)
        line = self._line(versions, before, after)
        key = f"{WORK}/manifests/{versions.folder(before)}.json"
        said = self._withdrawn(self._holdings.store, versions.folder(before))
        return Successor(before.dataset, before.as_of, before.version, after.version, key, asdict(line), said)

    def _line(self, versions: Versions, before: Manifest, after: Manifest) -> Line:
        if before.dataset not in self._lines:
            self._lines[before.dataset] = versions.lines()
        known = self._lines[before.dataset].get((before.as_of, before.version))
        at = known.published_at if known else datetime.now(UTC)
        return replace(Line.of(after, at), withdrawn=self._person.masked(known.withdrawn if known else ""))

    def _withdrawn(self, store: Store, folder: str) -> dict[str, str] | None:
        try:
            said: dict[str, str] = store.read_json(f"{folder}/{layout.WITHDRAWN}")
        except (DamagedError, FileNotFoundError):
            return None
        return {name: self._person.masked(str(value)) for name, value in said.items()}

    def _sources(self, name: Name) -> dict[str, str]:
        """Of each file of a successor, the one that it is a copy of."""
        before, after = self._by_name[name], self._after(name)
        versions = self._holdings.versions(before.dataset)
        old, new = versions.folder(before), versions.folder(after)
        pairs = list(zip(before.all_files, after.all_files, strict=True))
        instead = {made.sha256: key for made, key in self._instead.values()}
        sources = {
            f"{new}/{now.path}": f"{old}/{was.path}" if now == was else instead[now.sha256] for was, now in pairs
        }
        if all(now == was for was, now in pairs) and versions.store.exists(f"{old}/{layout.STATISTICS}"):
            sources[f"{new}/{layout.STATISTICS}"] = f"{old}/{layout.STATISTICS}"
        return sources


def _together(names: Sequence[T]) -> Iterator[Sequence[T]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))


class Replacement:
    """Puts the successors of one dataset in the place of their versions. May be done again after a crash at any point."""

    def __init__(self, versions: Versions, successors: list[Successor]):
        self._versions, self._store, self._successors = versions, versions.store, successors

    def put(self) -> list[Renamed]:
        """Manifests first, then the index and the pointers; then the old ones go.

        Gives what the registry is to say of those that have another id now.
        """
        index = VersionIndex(self._store, self._versions.dataset, self._versions.zone)
        renamed = [one for some in _together(self._successors) for one in self._write(some)]
        index.put([one.index_line for one in self._successors])
        self._point()
        gone = [one for one in self._successors if one.old != one.new]
        for one in gone:
            self._store.set_aside(self._folder(one, one.old))
        index.remove([replace(one.index_line, version=one.old) for one in gone])
        self._store.delete(layout.TRASH)
        return renamed

    def _write(self, some: Sequence[Successor]) -> list[Renamed]:
        """What lies beside the manifests first: with its manifest a version exists."""
        manifests: dict[str, bytes] = {}
        beside: dict[str, bytes] = {}
        renamed = []
        for one in some:
            folder, data = self._folder(one, one.new), self._store.read(one.manifest)
            manifest, manifests[layout.manifest_in(folder)] = Manifest.from_bytes(data), data
            beside |= {f"{folder}/{name}": text for name, text in describe(manifest).items()}
            if one.withdrawn:
                beside[f"{folder}/{layout.WITHDRAWN}"] = to_json(dict(one.withdrawn))
            if one.old != one.new:
                renamed.append(_renamed(one, manifest))
        self._store.write_all(beside)
        self._store.write_all(manifests)
        return renamed

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


def _renamed(one: Successor, manifest: Manifest) -> Renamed:
    made = manifest.summary
    return Renamed(one.dataset, one.old, one.new, made.rows, made.bytes, manifest.content["inputs"])


def dead_folders(holdings: Holdings) -> Iterator[str]:
    """Folders of versions that were never finished: nobody can read them, and they may name anybody."""
    folders = holdings.folders
    for dataset in holdings.datasets:
        for as_of in holdings.store.folders(dataset):
            for version in holdings.store.folders(f"{dataset}/{as_of}"):
                folder = f"{dataset}/{as_of}/{version}"
                if layout.versions_among([version]) and folder not in folders:
                    yield folder


def folder_on_this_machine(version: str) -> Path:
    """Where files of a version on S3 are kept for who reads them on this machine."""
    return user_cache() / "shopmill" / "versions" / version
