"""What the pages are made of, read from the store and the registry. Nothing is computed that a run has not made."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from threading import Lock
from time import monotonic
from typing import Any

from shopmill import datasets
from shopmill.catalogue.summaries import History, VersionSummary
from shopmill.declaration import Dataset
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.versions.cache import local
from shopmill.versions.layout import manifest_in, pointer_in
from shopmill.versions.manifest import Manifest
from shopmill.versions.statistics import Statistics, statistics_of
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

MOST_RUNS = 1000
SILENCE_SECONDS = 30.0
KEPT_MANIFESTS = 64


class NotThereError(ShopmillError):
    """A page of something that is not, or no longer, there."""


@dataclass(frozen=True)
class RunRow:
    """A run as the registry knows it."""

    run_id: str
    dataset: str
    as_of: str
    status: str
    version: str
    started_at: datetime
    seconds: float | None
    rows: int | None
    rejected: int | None
    error: str
    dag_id: str
    dag_run_id: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "RunRow":
        """The run in a row of etl_runs."""
        ended = row["finished_at"]
        return cls(
            run_id=row["run_id"],
            dataset=row["dataset"],
            as_of=row["as_of"],
            status=row["status"],
            version=row["version"] or "",
            started_at=row["started_at"].astimezone(UTC),
            seconds=(ended - row["started_at"]).total_seconds() if ended else None,
            rows=row["rows"],
            rejected=row["rejected"],
            error=row["error"] or "",
            dag_id=row["dag_id"] or "",
            dag_run_id=row["dag_run_id"] or "",
        )


@dataclass
class Memory:
    """What outlives a page: manifests, which never change, and that the registry was silent a moment ago."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    silent_until: float = 0.0
    silence: str = ""
    lock: Lock = field(default_factory=Lock)

    def keep(self, key: str, manifest: Manifest) -> None:
        """Keeps a manifest, and forgets the oldest beyond KEPT_MANIFESTS."""
        with self.lock:
            self.manifests[key] = manifest
            while len(self.manifests) > KEPT_MANIFESTS:
                self.manifests.pop(next(iter(self.manifests)))


def _everything(_: str) -> bool:
    return True


@dataclass
class Reader:
    """One look at a store, as it is while a page is made. `may_see` decides about datasets."""

    settings: Settings
    now: datetime
    memory: Memory = field(default_factory=Memory)
    may_see: Callable[[str], bool] = _everything

    @cached_property
    def store(self) -> Store:
        """The store."""
        return Store(self.settings.store)

    @cached_property
    def names(self) -> list[str]:
        """The datasets that are declared here or have versions in the store, and that may be seen."""
        found = {name for name in self.store.folders("") if self.store.exists(pointer_in(name))}
        return [name for name in sorted({*datasets.names(), *found}) if self.may_see(name)]

    def need(self, name: str) -> str:
        """The name of a dataset; NotThereError for one that is not there or may not be seen."""
        if name not in self.names:
            raise NotThereError(f"There is no dataset {name!r} here.")
        return name

    def declared(self, name: str) -> Dataset | None:
        """The declaration, where this package has one."""
        try:
            return datasets.load(name)
        except InvalidInputError:
            return None

    def versions(self, name: str) -> Versions:
        """The versions of a dataset."""
        return Versions(self.store, name, self.settings.zone)

    def history(self, name: str) -> History:
        """All versions of a dataset in short; looked at once per page."""
        if name not in self._histories:
            self._histories[name] = History(self.versions(name))
        return self._histories[name]

    @cached_property
    def _histories(self) -> dict[str, History]:
        return {}

    def manifest(self, summary: VersionSummary) -> Manifest:
        """The manifest of a version; NotThereError when it was removed meanwhile."""
        key = f"{self.settings.store}/{summary.dataset}/{summary.key}"
        versions = self.versions(summary.dataset)
        try:
            if key in self.memory.manifests:
                found = self.memory.manifests[key]
                if self.store.exists(manifest_in(versions.folder(found))):
                    return found
            found = versions.exactly(summary.as_of, summary.version)
        except FileNotFoundError:
            raise NotThereError(
                f"Version {summary.version} of {summary.dataset} as of {summary.as_of} is no longer in the store: "
                "`shopmill gc` removes versions that the retention rule does not keep."
            ) from None
        self.memory.keep(key, found)
        return found

    def statistics(self, manifest: Manifest) -> Statistics:
        """What the columns of a version look like; nothing where its files cannot be read."""
        versions = self.versions(manifest.dataset)
        try:
            return statistics_of(versions, manifest)
        except (OSError, ShopmillError):
            return {}

    def files(self, manifest: Manifest, table: str, most_rows: int | None = None) -> list[str]:
        """Local Parquet files of a table; with `most_rows` only the last ones, of about so many rows."""
        versions = self.versions(manifest.dataset)
        keys, files = versions.keys_of(manifest, table), manifest.files(table)
        if most_rows is not None:
            rows = list(accumulate(file.rows for file in reversed(files)))
            count = min(bisect_left(rows, most_rows) + 1, len(files))
            keys, files = keys[len(keys) - count :], files[len(files) - count :]
        return [str(path) for path in local(self.store, keys, files, manifest.version)]

    @cached_property
    def runs(self) -> list[RunRow]:
        """The newest runs of the datasets that may be seen; none when the registry is silent, see `silence`."""
        if monotonic() < self.memory.silent_until:
            return []
        try:
            rows = Registry(self.settings.registry_dsn.get_secret_value()).runs(None, MOST_RUNS)
        except ShopmillError as error:
            self.memory.silence, self.memory.silent_until = str(error), monotonic() + SILENCE_SECONDS
            return []
        self.memory.silence = ""
        return [RunRow.from_row(row) for row in rows if self.may_see(row["dataset"])]

    @property
    def silence(self) -> str:
        """Why there are no runs to show; empty when the registry answers."""
        _ = self.runs
        return self.memory.silence

    def runs_of(self, name: str) -> list[RunRow]:
        """The newest runs of a dataset."""
        return [run for run in self.runs if run.dataset == name]

    def age(self, instant: datetime) -> timedelta:
        """How long ago a moment is."""
        return self.now - instant
