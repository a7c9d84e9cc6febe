"""Extraction against its bound: `COPY (same query) TO STDOUT (FORMAT binary)` drained to nowhere.

    python benchmarks/extract.py transactions --rows 10000000

Fills a table of an embedded PostgreSQL with rows of the synthetic shop, then times both, alternating, and prints the
ratio of the medians, and the peak memory of the extraction.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import psycopg

from shopmill.asof import AsOf
from shopmill.engine.identifiers import quote
from shopmill.settings import Settings
from shopmill.shops import synthetic
from shopmill.shops.server import demo_server
from shopmill.source.contract import TABLES
from shopmill.source.extraction import Extraction
from shopmill.source.mapping import load_mapping
from shopmill.versions.store import Store

TRANSACTIONS_AT_SCALE_1 = 31_788_324


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("table", choices=sorted(TABLES))
    arguments.add_argument("--rows", type=int, default=3_000_000, help="transactions of the synthetic shop")
    arguments.add_argument("--repeat", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        server = demo_server(home / "postgres")
        try:
            measure(server.source_dsn, server.shop_owner_dsn, given.table, given.rows, given.repeat, home)
        finally:
            server.postgres.stop()


def measure(source_dsn: str, owner_dsn: str, table: str, rows: int, repeat: int, home: Path) -> None:
    synthetic.load(owner_dsn, rows / TRANSACTIONS_AT_SCALE_1)
    copies, extractions = [], []
    for attempt in range(repeat):
        copies.append(timed(lambda: copy(source_dsn, table)))
        store = Store(str(home / f"store{attempt}"))
        settings = Settings(_env_file=None, store=store.url, source_dsn=source_dsn)  # type: ignore[call-arg]
        as_of = AsOf.parse("2020-09-23", settings.zone)
        job = Extraction(settings, store, as_of, lambda _: nullcontext())
        extractions.append(timed(lambda job=job: job.run([table])))  # type: ignore[misc]
    ratio = statistics.median(extractions) / statistics.median(copies)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"COPY {[round(s, 2) for s in copies]} s, extraction {[round(s, 2) for s in extractions]} s")
    print(f"ratio of medians {ratio:.2f}, peak {peak:.2f} GiB")


def copy(dsn: str, table: str) -> None:
    """Drains the same query that extraction sends."""
    declared = TABLES[table]
    select = load_mapping(Settings(_env_file=None)).select(table)  # type: ignore[call-arg]
    order = f" order by {quote(declared.time)}" if declared.is_fact else ""
    before = f" where {quote(declared.time)} < '2020-09-23'" if declared.is_fact else ""
    query = f"copy (select * from ({select}) as mapped{before}{order}) to stdout (format binary)"
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor, cursor.copy(query.encode()) as stream:
        for _ in stream:
            continue


def timed(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
