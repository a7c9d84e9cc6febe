"""`shopmill repair`: makes again what follows from what is whole, and names what has to be computed.

It reads the bytes of versions that do not look as they did when they were found whole, or never were.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from shopmill.asof import AsOf
from shopmill.trust.finding import Finding
from shopmill.trust.outline import Outlines
from shopmill.trust.statistics_of_people import show_people
from shopmill.trust.verify import Verification
from shopmill.versions.index import VersionIndex
from shopmill.versions.layout import STATISTICS
from shopmill.versions.statistics import keep_without_people
from shopmill.versions.versions import StoredFile


@dataclass(frozen=True)
class Repair:
    """Repairs one dataset. Whoever calls it holds the dataset's publishing lock."""

    look: Verification

    def run(self) -> Iterator[str]:
        """A sentence for each thing that was repaired. What is left, another look finds."""
        versions, name = self.look.versions, self.look.dataset.name
        for folder, outline in self.look.each():
            for key in self.look.damage(folder, outline, self.look.entries(folder)):
                if source := self._same_bytes(outline.sealed(folder), key):
                    versions.store.copy(source, key)
                    versions.store.flush([key])
                    yield f"{versions.store.uri(key)} has its bytes again, from {versions.store.uri(source)}"
            if show_people(versions.store, statistics := f"{folder}/{STATISTICS}"):
                keep_without_people(versions.store, statistics)
                yield f"{versions.store.uri(statistics)} has no values of people any more"
        if any(self.look.index()):
            lines = versions.lines_of_folders()
            VersionIndex(versions.store, name, versions.zone).replace_all(lines)
            yield f"The index of {name} is made again, with {len(lines)} versions"
        for finding in list(self.look.pointers()):
            versions.repoint(AsOf.parse(finding.as_of, versions.zone))
            yield f"{finding.where} {_renewed(finding)}"

    def _same_bytes(self, files: Iterable[StoredFile], key: str) -> str | None:
        """A whole file of another version that has the bytes which a damaged one lost."""
        lost = next(one for one in files if one.key == key)
        candidates = (one for one in self._by_hash.get(lost.sha256, []) if one.key != key)
        store = self.look.store
        return next(
            (one.key for one in candidates if store.exists(one.key) and store.sha256(one.key) == one.sha256), None
        )

    @cached_property
    def _by_hash(self) -> dict[str, list[StoredFile]]:
        found: dict[str, list[StoredFile]] = {}
        for folder, outline in Outlines(self.look.versions).each():
            for one in outline.sealed(folder):
                found.setdefault(one.sha256, []).append(one)
        return found


def _renewed(finding: Finding) -> str:
    return f"{finding.fault}, and names the right version now"
