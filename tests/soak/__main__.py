"""`make soak SEED=… DAYS=… SEEDS=…`: soaks one store per seed, and says what happened and how often."""

import argparse
import itertools
import json
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

from shopmill.settings import user_cache
from shopmill.shops.postgres import EmbeddedPostgres
from soak.driver import Soak, SoakError
from soak.place import place


def main() -> int:
    options = argparse.ArgumentParser(prog="make soak", description=__doc__)
    options.add_argument("--seed", type=int, default=1, help="the first seed")
    options.add_argument("--seeds", type=int, default=1, help="how many, one after another")
    options.add_argument("--days", type=int, default=14)
    options.add_argument("--quiet", action="store_true", help="say what happened only where something is lost")
    asked = options.parse_args()
    logging.disable(logging.WARNING)  # the sentences of repairs
    faults: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    failed = []
    with tempfile.TemporaryDirectory(prefix="shopmill-soak-") as folder:
        Path(folder).chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(Path(folder) / "postgres") as server:
            server.ensure_role("soak")
            numbers = itertools.count()

            def new_database() -> str:
                server.ensure_database(name := f"soak_{next(numbers)}", owner="soak")
                return server.dsn(name, "soak")

            for seed in range(asked.seed, asked.seed + asked.seeds):
                began, where = time.monotonic(), Path(folder) / str(seed)
                settings, clean = place(server, new_database, where, user_cache() / "shopmill")
                say = (lambda _: None) if asked.quiet else print
                soak = Soak(settings, clean, where, seed, asked.days, say=say)
                try:
                    soak.run()
                except SoakError as error:
                    failed.append(seed)
                    print(str(error) if asked.quiet else str(error).splitlines()[-1])
                faults += soak.faults
                compared += soak.compared
                print(f"seed {seed}: {'LOST' if seed in failed else 'nothing lost'}, {time.monotonic() - began:.0f} s")
    print(json.dumps({"faults": dict(sorted(faults.items())), "compared": dict(compared), "failed": failed}, indent=1))
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
