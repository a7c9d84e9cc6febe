"""Versions a quarter of an hour after each other, as publishing leaves them: thousands, in a hundredth of the time of as many runs.

The first is that of a run, the second is published from its files. What the others have in common with it is linked or copied;
their manifests, descriptions, pointers, snapshots, and lines of the index and registry are their own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from shopmill.asof import AsOf
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.mapping import load_mapping
from shopmill.source.snapshot import Snapshot, SnapshotCatalogue, snapshot_key
from shopmill.versions import layout
from shopmill.versions.index import Line, VersionIndex
from shopmill.versions.manifest import Manifest, Pin
from shopmill.versions.manifest_text import ManifestText, text_of
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.standards import describe
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

BEGIN = datetime(2020, 9, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
AS_ITS_ROW = """
insert into shopmill.etl_runs (run_id, as_of, version, dataset, status, rows, bytes, checks, inputs, parameters,
  git_commit, pipeline_version, host, store, started_at, finished_at)
select 'year-' || new.as_of, new.as_of, new.version, dataset, status, rows, bytes, checks, inputs, parameters,
  git_commit, pipeline_version, host, store, started_at, finished_at
from shopmill.etl_runs, unnest(%s::text[], %s::text[]) as new (as_of, version) where run_id = 'year'
"""


def label(number: int) -> str:
    """The as_of of the n-th quarter of an hour."""
    return f"{BEGIN + number * QUARTER:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Quarters:
    """Makes them after a first one."""

    settings: Settings
    first: Manifest

    @cached_property
    def versions(self) -> Versions:
        return Versions(Store(self.settings.store), self.first.dataset, self.settings.zone)

    @cached_property
    def root(self) -> Path:
        return Path(self.settings.store)

    def make(self, count: int) -> Iterator[Manifest]:
        """The second one, and as many in all."""
        second = self.publish(1)
        yield second
        before = ManifestText.of(second.to_json())
        made, lines = [], []
        for number in range(2, count + 1):
            before = self.follow(before, label(number))
            made.append(before.manifest.pin)
            lines.append(Line.of(before.manifest, datetime.now(UTC)))
            yield before.manifest
        VersionIndex(self.versions.store, self.first.dataset, self.settings.zone).put(lines)
        self.register(made)
        if made:
            self.write(layout.pointer_in(self.first.dataset), to_json(vars(made[-1])))

    def publish(self, number: int) -> Manifest:
        """One, as a run publishes it."""
        as_of = AsOf.parse(label(number), self.settings.zone)
        beside = {**self.first.beside, "previous": vars(self.first.pin), "snapshots": dict(self.keep(as_of))}
        made = Manifest(self.first.dataset, as_of.label, self.first.content, beside)
        folder = self.versions.folder(self.first)
        staged = {file.path: f"{folder}/{file.path}" for file in self.first.all_files}
        self.versions.publish(made, staged, described=describe(made))
        self.versions.store.copy(f"{folder}/{layout.STATISTICS}", f"{self.versions.folder(made)}/{layout.STATISTICS}")
        registry = Registry(self.settings.registry_dsn.get_secret_value())
        registry.begin("year", made.dataset, as_of.label, {}, {}, self.settings.store)
        registry.finish("year", status="published", version=made.version, checks=made.checks)
        return made

    def keep(self, as_of: AsOf) -> Iterator[tuple[str, dict[str, str]]]:
        """Snapshots of the same files at another as_of, of each table."""
        mapping = load_mapping(self.settings)
        for name, noted in self.first.beside["snapshots"].items():
            found = Snapshot.from_document(read_snapshot(self.versions.store, noted["key"]))
            catalogue = SnapshotCatalogue(self.versions.store, TABLES[name], mapping.fingerprint(TABLES[name]))
            saved = catalogue.save(as_of, replace(found, as_of=as_of.label, read_as_of=as_of.label))
            yield name, {"key": saved.key, "read_as_of": saved.read_as_of}

    def follow(self, before: ManifestText, as_of: str) -> ManifestText:
        """The next one."""
        snapshots = {
            name: self.snapshot(one["key"], as_of) for name, one in before.manifest.beside["snapshots"].items()
        }
        beside = {"as_of": json.dumps(as_of), "previous": text_of(vars(before.manifest.pin), " ")}
        made = before.with_beside({**beside, "snapshots": text_of(snapshots, " ")})
        old, new = (self.root / self.versions.folder(one.manifest) for one in (before, made))
        for name in (*(file.path for file in made.manifest.all_files), layout.STATISTICS):
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).hardlink_to(old / name)
        for name, text in describe(made.manifest).items():
            (new / name).write_bytes(text)
        (new / layout.MANIFEST).write_text(made.text)
        self.write(self.versions.pointer_key(as_of), to_json(vars(made.manifest.pin)))
        return made

    def snapshot(self, key: str, as_of: str) -> dict[str, str]:
        """The same document at another as_of."""
        document = json.loads((self.root / key).read_bytes()) | {"as_of": as_of, "read_as_of": as_of}
        instant = AsOf.parse(as_of, self.settings.zone).instant
        again = snapshot_key(key.partition("/snapshots/")[0], instant, 0)
        self.write(again, to_json(document))
        return {"key": again, "read_as_of": as_of}

    def register(self, made: list[Pin]) -> None:
        """The rows of their runs, each as that of the second one."""
        with Registry(self.settings.registry_dsn.get_secret_value()).connect() as connection:
            connection.execute(AS_ITS_ROW, ([one.as_of for one in made], [one.version for one in made]))

    def write(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
