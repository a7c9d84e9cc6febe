"""`make soak-year VERSIONS=2000`: what commands take in a store of so many versions, in seconds of the processor.

The first version is that of a run. Each quarter of an hour after it another one is published as runs publish: with a manifest
and snapshots of its own, and hard links to files that are the same.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.contract import TABLES
from shopmill.source.mapping import load_mapping
from shopmill.source.snapshot import Snapshot, SnapshotCatalogue
from shopmill.versions.manifest import Manifest
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions
from soak.place import CACHE, databases, place
from soak.soaked import FIRST, lenient
from soak.world import World

DATASET = "events_and_funnels"
BEGIN = datetime(2020, 9, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def main() -> None:
    options = argparse.ArgumentParser(prog="make soak-year", description=__doc__)
    options.add_argument("--versions", type=int, default=2000)
    asked = options.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="shopmill-year-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(folder / "postgres") as server:
            settings, _ = place(server, databases(server), folder, CACHE)
            first = first_version(settings)
            with patch("os.fsync"):  # how long a disk takes to make them is not measured
                made = [first, *more_versions(settings, first, asked.versions - 1)]
            print(f"{len(made)} versions of {len(first.all_files)} files")
            for command in commands(made[-2], made[-1]):
                print(f"{seconds(settings, *command):8.2f} s  shopmill {' '.join(command)}", flush=True)


def first_version(settings: Settings) -> Manifest:
    """A run on a tiny shop."""
    world = World(settings.source_dsn.get_secret_value(), 1, FIRST)
    world.begin()
    world.pass_day(FIRST)
    run = Run.create(datasets.load(DATASET), label(0), settings, lenient(DATASET))
    steps.run_all(run)
    return run.versions.need(run.as_of)


def label(number: int) -> str:
    """The as_of of the n-th quarter of an hour."""
    return f"{BEGIN + number * QUARTER:%Y-%m-%dT%H:%M:%SZ}"


def more_versions(settings: Settings, first: Manifest, count: int) -> Iterator[Manifest]:
    """As many, a quarter of an hour after each other."""
    versions = Versions(Store(settings.store), DATASET, settings.zone)
    staged = {file.path: f"{versions.folder(first)}/{file.path}" for file in first.all_files}
    snapshots = read_snapshots(settings, versions.store, first)
    registry, previous = Registry(settings.registry_dsn.get_secret_value()), first
    for number in range(1, count + 1):
        as_of = AsOf.parse(label(number), settings.zone)
        kept = {name: keep(catalogue, as_of, found) for name, (catalogue, found) in snapshots.items()}
        beside = {**first.beside, "previous": vars(previous.pin), "snapshots": kept}
        previous = Manifest(DATASET, as_of.label, first.content, beside)
        versions.publish(previous, staged)
        registry.begin(f"year-{number}", DATASET, as_of.label, {}, {}, settings.store)
        registry.finish(f"year-{number}", status="published", version=previous.version)
        yield previous


def read_snapshots(settings: Settings, store: Store, made: Manifest) -> dict[str, tuple[SnapshotCatalogue, Snapshot]]:
    """The snapshots that a version was read from, by table, and where others go."""
    mapping = load_mapping(settings)
    return {
        name: (
            SnapshotCatalogue(store, TABLES[name], mapping.fingerprint(TABLES[name])),
            Snapshot.from_document(read_snapshot(store, noted["key"])),
        )
        for name, noted in made.beside["snapshots"].items()
    }


def keep(catalogue: SnapshotCatalogue, as_of: AsOf, found: Snapshot) -> dict[str, str]:
    """A snapshot of the same files at another as_of."""
    saved = catalogue.save(as_of, replace(found, as_of=as_of.label, read_as_of=as_of.label))
    return {"key": saved.key, "read_as_of": saved.read_as_of}


def commands(before: Manifest, newest: Manifest) -> Iterator[tuple[str, ...]]:
    """What is measured. The last ones change the store."""
    yield ("versions", DATASET, "--json")
    yield ("show", DATASET)
    yield ("plan", DATASET, "--as-of", newest.as_of, *lenient_options())
    yield ("diff", DATASET, before.version, newest.version)
    yield ("verify", DATASET)
    yield ("verify", DATASET, "--all")
    yield ("verify", DATASET, "--all", "--raw")
    yield ("backfill", DATASET, "--stale", "--dry-run", "--to", newest.as_of, *lenient_options())
    yield ("gc",)
    yield ("repair", DATASET)
    yield ("erase", "--customer", "person-03-x", "--dry-run")
    yield ("erase", "--customer", "person-03-x")
    yield ("verify", DATASET, "--all", "--raw")


def lenient_options() -> tuple[str, ...]:
    return tuple(part for name, value in lenient(DATASET).items() for part in ("--param", f"{name}={value}"))


def seconds(settings: Settings, *command: str) -> float:
    """Seconds of the processor that a command takes, whatever else the machine does."""
    environment = {
        "SHOPMILL_STORE": settings.store,
        "SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value(),
        "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
        "SHOPMILL_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
    }
    began = time.process_time()
    result = CliRunner(env=environment).invoke(cli.app, list(command))
    spent = time.process_time() - began
    if result.exit_code:
        print(f"exit code {result.exit_code}: {result.stdout[-300:]} {result.exception!r}")
    return spent


if __name__ == "__main__":
    main()
