"""A line per version: what lists and timelines need of its manifest, kept in one document per dataset.

Manifests never change, so a version is read once. The document `<dataset>/summaries.json` is a cache: without it, or
without the right to write it, all manifests are read again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from shopmill.asof import AsOf, folder_name
from shopmill.errors import DamagedError, StoreError
from shopmill.versions.layout import versions_among
from shopmill.versions.manifest import Manifest, check_name
from shopmill.versions.store import to_json
from shopmill.versions.versions import Versions

NAME = "summaries.json"
FORM = 1
PASSED, WARNED, FAILED = "p", "w", "e"


@dataclass(frozen=True)
class VersionSummary:
    """A version in short. `checks` maps `table: name` to how it went: passed, warned or failed."""

    dataset: str
    as_of: str
    version: str
    rows: int
    bytes: int
    rejected: int
    tables: Mapping[str, int]
    checks: Mapping[str, str]
    software: str
    is_current: bool = False

    @property
    def key(self) -> str:
        """How addresses name it."""
        return f"{self.as_of.replace(':', '')}.{self.version}"

    @property
    def warned(self) -> int:
        """Checks that did not pass."""
        return sum(result != PASSED for result in self.checks.values())


@dataclass(frozen=True)
class History:
    """The versions of one dataset, by as_of and id."""

    versions: Versions

    @cached_property
    def all(self) -> list[VersionSummary]:
        """Every version; those that count at their as_of are marked."""
        known = self._kept()
        lines = self.versions.lines()
        found = {name: known.get(name) for name in self._names({as_of for as_of, _ in lines})}
        read = {name: self._read(*name) for name, summary in found.items() if summary is None}
        if read:
            self._keep([s for s in (found | read).values() if s is not None])
        summaries = [s for s in (found | read).values() if s is not None]
        counted = self.versions.counted(lines)
        marked = [replace(s, is_current=(s.as_of, s.version) in counted) for s in summaries]
        return sorted(marked, key=lambda s: (AsOf.parse(s.as_of, self.versions.zone), s.version))

    @cached_property
    def newest(self) -> VersionSummary | None:
        """The current version."""
        counted = [summary for summary in self.all if summary.is_current]
        return counted[-1] if counted else None

    @cached_property
    def counted(self) -> list[VersionSummary]:
        """Of each as_of the current version."""
        return [summary for summary in self.all if summary.is_current]

    def find(self, key: str) -> VersionSummary | None:
        """The version of an address."""
        return next((summary for summary in self.all if summary.key == key), None)

    def _names(self, as_ofs: Iterable[str]) -> list[tuple[str, str]]:
        """as_of and id of every version that has a folder: listing folders touches none of the files."""
        store, dataset, known = self.versions.store, self.versions.dataset, sorted(as_ofs)
        folders = store.each(lambda as_of: ",".join(store.folders(f"{dataset}/{folder_name(as_of)}")), known)
        return [
            (as_of, version)
            for as_of, listed in zip(known, folders, strict=True)
            for version in versions_among(listed.split(","))
        ]

    def _read(self, as_of: str, version: str) -> VersionSummary | None:
        try:
            return summarized(self.versions.exactly(as_of, version))
        except (DamagedError, FileNotFoundError, KeyError):  # not finished, or removed meanwhile
            return None

    @property
    def _key(self) -> str:
        return f"{self.versions.dataset}/{NAME}"

    def _kept(self) -> dict[tuple[str, str], VersionSummary]:
        try:
            document = self.versions.store.read_json(self._key)
            if document["form"] != FORM:
                return {}
            names = document["checks"]
            return {(s["as_of"], s["version"]): _from_document(s, names) for s in document["versions"]}
        except (DamagedError, FileNotFoundError, KeyError, TypeError, ValueError):
            return {}

    def _keep(self, summaries: list[VersionSummary]) -> None:
        names = sorted({name for summary in summaries for name in summary.checks})
        document = {"form": FORM, "checks": names, "versions": [_document(s, names) for s in summaries]}
        try:
            self.versions.store.write(self._key, to_json(document))
        except StoreError:  # who only reads reads them again
            return


def summarized(manifest: Manifest) -> VersionSummary:
    """The line of one version."""
    summary = manifest.summary
    return VersionSummary(
        dataset=manifest.dataset,
        as_of=manifest.as_of,
        version=manifest.version,
        rows=summary.rows,
        bytes=summary.bytes,
        rejected=summary.rejected,
        tables={name: manifest.rows(name) for name in manifest.tables},
        checks={check_name(check): _state(check) for check in manifest.beside.get("checks", ())},
        software=str(manifest.content.get("software", {}).get("shopmill", "")),
    )


def _state(check: Mapping[str, Any]) -> str:
    return PASSED if check["passed"] else FAILED if check["severity"] == "error" else WARNED


def _document(summary: VersionSummary, names: list[str]) -> dict[str, Any]:
    """Checks as one letter each, in the order of `names`: two thousand versions have a hundred checks each."""
    return {**asdict(summary), "checks": "".join(summary.checks.get(name, ".") for name in names)}


def _from_document(document: Mapping[str, Any], names: list[str]) -> VersionSummary:
    states = zip(names, document["checks"], strict=True)
    return VersionSummary(**{**document, "checks": {name: state for name, state in states if state != "."}})
