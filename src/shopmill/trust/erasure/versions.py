"""Versions without a person: each gets a successor, which has its unchanged files and says which version it was.

Also versions that never named the person get one where they were read from rows that did, or were made of such a version:
a manifest says what it was made of. Versions are read one at a time: a year of them would fill the memory.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.journal import WORK, Successor
from shopmill.trust.erasure.manifests import Becomes, Rewriting
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.raw import Snapshots
from shopmill.trust.erasure.rows import rewrite
from shopmill.versions import layout
from shopmill.versions.index import Line, Lines, Name
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.manifest_text import ManifestText
from shopmill.versions.standards import describe
from shopmill.versions.store import sha256_of
from shopmill.versions.versions import Versions

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
        self._holdings, self._store, self._person, self._report = holdings, holdings.store, person, report
        self._lines: dict[str, Lines] = {}
        self._due = {holding.sha256: holding for holding in due}
        self._instead: dict[str, tuple[File, str]] = {}
        self._keys = {name: key for dataset in holdings.datasets for name, key in holdings.named(dataset)}
        self._becomes: dict[Name, Becomes] = {}
        self._rewriting = Rewriting(person, self._file, snapshots.input_of, self._become)
        self._copies: dict[str, str] = {}
        self._texts: dict[str, bytes] = {}
        self._made: list[Successor] = []

    def make(self) -> tuple[Successor, ...]:
        """The successors of those versions that need one, in the order in which the versions were published."""
        for number, name in enumerate(self._in_order(), start=1):
            self._become(name)
            if number % AT_ONCE == 0:
                self._put()
                self._report(f"{number:,} of {len(self._keys):,} versions are written without the person")
        self._put()
        return tuple(sorted(self._made, key=lambda one: (one.dataset, one.line["at"], one.old)))

    def _in_order(self) -> list[Name]:
        """The oldest first: what a version was made of comes before it, however long the row of previous versions is."""
        return sorted(self._keys, key=lambda name: (AsOf.parse(name[1], self._holdings.zone), name))

    def _become(self, name: Name) -> Becomes | None:
        """What becomes of a version; None of one that is not there."""
        if name not in self._becomes and name in self._keys:
            before = ManifestText.of(self._store.document(self._keys[name]))
            after = self._rewriting.of(before)
            self._becomes[name] = Becomes(after.version, after.manifest.summary.rows)
            if after != before:
                self._succeed(before, after)
        return self._becomes.get(name)

    def _succeed(self, before: ManifestText, after: ManifestText) -> None:
        old, new = before.manifest, after.manifest
        versions = self._holdings.versions(old.dataset)
        folder, key = versions.folder(old), f"{WORK}/manifests/{versions.folder(old)}.json"
        self._texts[key] = after.text.encode()
        if old.version != new.version:
            self._copies |= self._sources(old, new)
            self._texts |= {f"{versions.folder(new)}/{name}": text for name, text in describe(new).items()}
        line, inputs = vars(self._line(versions, old, new)), new.content["inputs"]
        said = self._withdrawn(folder)
        self._made.append(Successor(old.dataset, old.as_of, old.version, new.version, key, line, said, inputs))

    def _put(self) -> None:
        """Puts on the disk what was made since the last time."""
        store, copies = self._store, self._copies
        store.each(lambda key: store.copy(copies[key], key), list(copies))
        store.flush(copies)
        store.write_all(self._texts)
        self._copies, self._texts = {}, {}

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
            self._store.adopt(path, key)
            self._instead[sha256] = (made, key)
        return self._instead[sha256]

    def _line(self, versions: Versions, before: Manifest, after: Manifest) -> Line:
        if before.dataset not in self._lines:
            self._lines[before.dataset] = versions.lines()
        known = self._lines[before.dataset].get((before.as_of, before.version))
        at = known.published_at if known else datetime.now(UTC)
        return replace(Line.of(after, at), withdrawn=self._person.masked(known.withdrawn if known else ""))

    def _withdrawn(self, folder: str) -> dict[str, str] | None:
        try:
            said: dict[str, str] = self._store.read_json(f"{folder}/{layout.WITHDRAWN}")
        except (DamagedError, FileNotFoundError):
            return None
        return {name: self._person.masked(str(value)) for name, value in said.items()}

    def _sources(self, before: Manifest, after: Manifest) -> dict[str, str]:
        """Of each file of a successor, the one that it is a copy of."""
        versions = self._holdings.versions(before.dataset)
        old, new = versions.folder(before), versions.folder(after)
        sources: dict[str, str] = {}
        for was, now in zip(before.all_files, after.all_files, strict=True):
            is_same = was.sha256 not in self._due
            sources[f"{new}/{now.path}"] = f"{old}/{was.path}" if is_same else self._instead[was.sha256][1]
        if before.all_files == after.all_files and self._store.exists(f"{old}/{layout.STATISTICS}"):
            sources[f"{new}/{layout.STATISTICS}"] = f"{old}/{layout.STATISTICS}"
        return sources


def dead_folders(holdings: Holdings) -> Iterable[str]:
    """Folders of versions that were never finished: nobody can read them, and they may name anybody."""
    folders = holdings.folders
    for dataset in holdings.datasets:
        for as_of in holdings.store.folders(dataset):
            for version in holdings.store.folders(f"{dataset}/{as_of}"):
                folder = f"{dataset}/{as_of}/{version}"
                if layout.versions_among([version]) and folder not in folders:
                    yield folder
