"""What versions were made of: whether it is there, is what was read, and, of raw files, whether every byte is."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from shopmill.errors import DamagedError
from shopmill.source.snapshot import Snapshot
from shopmill.trust.finding import Finding
from shopmill.trust.outline import Input, Outline, Outlines
from shopmill.versions import layout
from shopmill.versions.index import Name
from shopmill.versions.proof import Entries, Hashing, faults_among
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions


@dataclass(frozen=True)
class InputsLook:
    """Looks at the inputs of one dataset's versions, each once. `raw` files are looked at on demand."""

    store: Store
    dataset: str
    zone: ZoneInfo
    raw: bool
    known: dict[str, str]
    """What was wrong with the raw files that were looked at, by key; empty for whole ones."""
    hashing: Hashing

    def of(self, outline: Outline) -> Iterator[Finding]:
        """Findings on the inputs of a version."""
        for name, made in outline.content.inputs.items():
            if made.version and not self._is_there(name, made):
                where = f"{self.dataset} as of {outline.as_of}"
                fault = f"was made of version {made.version} of {name}, which is missing or damaged"
                yield Finding(self.dataset, outline.as_of, where, fault, "It can be read, and not be rebuilt.")
        for table, noted in outline.snapshots.items():
            yield from self._of_snapshot(outline, table, noted.key)

    def _is_there(self, dataset: str, made: Input) -> bool:
        name = (dataset, made.as_of, made.version)
        if name not in self._there:
            self._there[name] = self._can_be_read(*name)
        return self._there[name]

    @cached_property
    def _there(self) -> dict[Name, bool]:
        """Whether the versions that others were made of can be read."""
        return {}

    def _can_be_read(self, dataset: str, as_of: str, version: str) -> bool:
        try:
            Outlines(Versions(self.store, dataset, self.zone)).exactly(as_of, version)
        except (DamagedError, FileNotFoundError):
            return False
        return True

    @cached_property
    def _wholes(self) -> dict[str, Any]:
        """The snapshot documents that others are differences against."""
        return {}

    def _of_snapshot(self, outline: Outline, table: str, key: str) -> Iterator[Finding]:
        try:
            found = Snapshot.from_document(read_snapshot(self.store, key, self._wholes))
        except (DamagedError, FileNotFoundError, KeyError, TypeError):
            yield self._finding(outline, key, "is missing or damaged")
            return
        if table not in outline.content.inputs or found.sha256 != outline.content.inputs[table].sha256:
            yield self._finding(outline, key, "is not what the version was read from")
        elif self.raw:
            yield from self._of_raw_files(outline, key, found)

    def _of_raw_files(self, outline: Outline, key: str, snapshot: Snapshot) -> Iterator[Finding]:
        try:
            faults_by_key = self._raw_faults(snapshot)
        except DamagedError as error:
            yield self._finding(outline, key, f"names files elsewhere: {str(error).rstrip('.')}")
            return
        for name, fault in faults_by_key.items():
            yield self._finding(outline, name, fault)

    def _raw_faults(self, snapshot: Snapshot) -> dict[str, str]:
        """What is wrong with the files of a snapshot. Most of them are those of other snapshots too."""
        due = [file for file in snapshot.files if file.key not in self.known]
        for file in due:
            self.store.uri(file.key)  # DamagedError where it leads out of the store
        there = self._raw_entries(snapshot.table)
        self.hashing.expect(self.store, [there[file.key] for file in due if file.key in there])
        wrong = faults_among(self.store, due, there, self.hashing)
        self.known.update({file.key: wrong.get(file.key, "") for file in due})
        return {file.key: self.known[file.key] for file in snapshot.files if self.known[file.key]}

    def _raw_entries(self, table: str) -> Entries:
        """What was read of a table of the shop, listed once."""
        if table not in self._raw_listed:
            self._raw_listed[table] = {entry.key: entry for entry in self.store.entries(layout.raw_of(table))}
        return self._raw_listed[table]

    @cached_property
    def _raw_listed(self) -> dict[str, Entries]:
        return {}

    def _finding(self, outline: Outline, key: str, fault: str) -> Finding:
        way_out = f"Run `shopmill run {self.dataset} --as-of {outline.as_of} --refresh`."
        return Finding(self.dataset, outline.as_of, self.store.uri(key), fault, way_out)
