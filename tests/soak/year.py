"""`make soak-year VERSIONS=2000`: what commands take in a store of so many versions, in seconds of the processor.

See soak/quarters.py for how they are made. Every one has a manifest, snapshots and descriptions of its own, and links to files
that are the same. With --reads-only nothing is erased, which writes each version anew.
"""

import argparse
import logging
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.versions.manifest import Manifest
from soak.place import CACHE, databases, place
from soak.quarters import Quarters, label
from soak.soaked import FIRST, lenient
from soak.world import World

DATASET = "events_and_funnels"


def main() -> None:
    options = argparse.ArgumentParser(prog="make soak-year", description=__doc__)
    options.add_argument("--versions", type=int, default=2000)
    options.add_argument("--reads-only", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="shopmill-year-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(folder / "postgres") as server:
            settings, _ = place(server, databases(server), folder, CACHE)
            first = first_version(settings)
            with patch("os.fsync"):  # how long a disk takes to make them is not measured
                before, newest = [first, *deque(Quarters(settings, first).make(asked.versions - 1), maxlen=2)][-2:]
            print(f"{asked.versions} versions of {len(first.all_files)} files", flush=True)
            for command in commands(before, newest):
                if asked.reads_only and command[0] == "erase" and "--dry-run" not in command:
                    continue
                print(f"{seconds(settings, *command):8.2f} s  shopmill {' '.join(command)}", flush=True)


def first_version(settings: Settings) -> Manifest:
    """A run on a tiny shop."""
    world = World(settings.source_dsn.get_secret_value(), 1, FIRST)
    world.begin()
    world.pass_day(FIRST)
    run = Run.create(datasets.load(DATASET), label(0), settings, lenient(DATASET))
    steps.run_all(run)
    return run.versions.need(run.as_of)


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
    logging.disable(logging.WARNING)  # the sentences of runs
    main()
