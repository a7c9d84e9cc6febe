"""`make soak SEED=… DAYS=… SEEDS=… STORE=…`: soaks one store per seed, and says what happened and how often."""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from object_store import new_bucket, serving, way_to
from shopmill.shops.postgres import EmbeddedPostgres
from soak.driver import Soak
from soak.place import CACHE, databases, place
from soak.report import Report, SoakError


def main() -> int:
    options = argparse.ArgumentParser(prog="make soak", description=__doc__)
    options.add_argument("--seed", type=int, default=1, help="the first seed")
    options.add_argument("--seeds", type=int, default=1, help="how many, one after another")
    options.add_argument("--days", type=int, default=14)
    options.add_argument("--store", choices=("folder", "s3"), default="folder", help="what is soaked")
    options.add_argument("--quiet", action="store_true", help="say what happened only where something is lost")
    asked = options.parse_args()
    logging.disable(logging.WARNING)  # the sentences of repairs
    total = Report()
    with tempfile.TemporaryDirectory(prefix="shopmill-soak-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(folder / "postgres") as server, stores(asked.store, folder) as new_store:
            new_database = databases(server)
            for seed in range(asked.seed, asked.seed + asked.seeds):
                where, say = folder / str(seed), (lambda _: None) if asked.quiet else print
                settings, clean = place(server, new_database, where, CACHE, new_store(seed))
                soak_once(Soak(settings, clean, where, seed, asked.days, report=Report(say)), total, asked.quiet)
    print(total.counts())
    return int(bool(total.lost))


@contextmanager
def stores(kind: str, folder: Path) -> Iterator[Callable[[int], str]]:
    """What gives the address of an empty store for a seed; nothing where it is a folder."""
    if kind == "folder":
        yield lambda _: ""
        return
    with serving() as endpoint:
        os.environ.update(way_to(endpoint), XDG_CACHE_HOME=str(folder / "cache"))
        yield lambda seed: new_bucket(endpoint, f"soak-{seed}")


def soak_once(soak: Soak, total: Report, is_quiet: bool) -> None:
    """Soaks one store, and says what came of it."""
    began = time.monotonic()
    try:
        soak.run()
    except SoakError as error:
        print(str(error) if is_quiet else str(error).splitlines()[-1])
    total.add(soak.report)
    came = "LOST" if soak.report.lost else "nothing lost"
    print(f"seed {soak.seed}: {came}, {time.monotonic() - began:.0f} s: {soak.report.counts()}")


if __name__ == "__main__":
    raise SystemExit(main())
