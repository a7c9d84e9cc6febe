"""A run of events_and_funnels that continues, against a full build of the same version.

    python benchmarks/events.py --events 10000000 --days 30 --new 100000 --late 0.05

Makes a clickstream with DuckDB as raw files, once as it was known at an earlier as_of and once at as_of, with `--new`
events between, of them the share `--late` late by up to three days. Then times transform, check and publish (steps as the CLI
runs them) for both, and for a full build at as_of in a store of its own, and compares the bytes of all tables.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from pydantic import SecretStr

from shopmill import datasets
from shopmill.engine.duckdb_engine import connect
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.server import demo_server
from shopmill.source.contract import TABLES
from shopmill.source.mapping import load_mapping
from shopmill.source.snapshot import RawFile, Snapshot, SnapshotCatalogue
from shopmill.versions.store import Store, sha256_of

AS_OF = datetime(2020, 9, 22, 19, tzinfo=UTC)
EVENTS_PER_VISIT = 8
ARRIVAL_DEPENDENT = "session_history"

VISITS = """
create table visits as
select
  range as visit,
  hash(range, 1) as h,
  case
    when hash(range, 2) % 100 < 65
      then 'c' || cast(floor(400000 * pow((hash(range, 3) % 1000000) / 1e6, 1.6)) as bigint)
  end as customer_id,
  to_microseconds(cast((hash(range, 4) % 1000000000) / 1e9 * $span_us as bigint)) as after,
  1 + least(cast(floor(-ln(1 - (hash(range, 5) % 1000000) / 1e6) * 7.5) as int), 60) as n
from range($visits)
"""
CLICKS = """
create table clicks as
select
  format('{:016x}', hash(visit, i, 6)) as event_id,
  format('{:016x}', h) as session_id,
  customer_id,
  'a' || lpad(cast(hash(visit, i // 3, 7) % 100000 as varchar), 6, '0') as article_id,
  case
    when i % 9 < 5 then 'view' when i % 9 = 5 then 'click' when i % 9 = 6 then 'add_to_cart'
    when hash(visit, i, 8) % 3 = 0 then 'checkout' when hash(visit, i, 9) % 3 = 0 then 'purchase' else 'view'
  end as event_type,
  case when event_type in ('add_to_cart', 'purchase') then (hash(visit, i, 10) % 10000) / 100 end::decimal(18, 6) as event_value,
  $first + after + to_seconds(45 * i + hash(visit, i, 11) % 40) as event_datetime,
  case when hash(visit, 13) % 4 > 0 then format('{:016x}', hash(h % 200000, 14)) end as visitor_id,
  null::varchar as product_code, null::varchar as currency, null::varchar as user_agent, null::varchar as misfits,
  hash(visit, i, 12) as arrival
from (select *, unnest(range(n)) as i from visits)
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--new", type=int, default=10_000, help="events between the two versions")
    arguments.add_argument("--late", type=float, default=0.05, help="share of them that happened up to 3 days earlier")
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        server = demo_server(home / "postgres")
        try:
            measure(home, server.registry_dsn, given)
        finally:
            server.postgres.stop()


def measure(home: Path, registry_dsn: str, given: argparse.Namespace) -> None:
    def settings(name: str) -> Settings:
        return Settings(
            _env_file=None,  # type: ignore[call-arg]
            store=str(home / name),
            registry_dsn=SecretStr(registry_dsn),
            threads=given.threads,
        )

    shop = connect(settings("continued"), home)
    fill(shop, given.events, given.days)
    before = earlier(shop, int(given.new * (1 - given.late)))
    late = f"event_datetime >= '{AS_OF - timedelta(days=3)}' and arrival % 1000000 < {late_share(given)}"
    for name, as_of, where in (
        ("continued", before, f"event_datetime < '{before}' and not ({late})"),
        ("continued", AS_OF, f"event_datetime < '{AS_OF}'"),
        ("full", AS_OF, f"event_datetime < '{AS_OF}'"),
    ):
        store = Store(str(home / name))
        rows = land(shop, store, as_of, where, settings(name))
        run, seconds = timed_run(settings(name), as_of)
        spent = ", ".join(f"{step} {busy:.2f}" for step, (_, busy) in seconds.items())
        wall, busy = (sum(values) for values in zip(*seconds.values(), strict=True))
        print(
            f"{name} as of {run.as_of.label}, {rows} events: {wall:.2f} s, processor {busy:.2f} s ({spent})", flush=True
        )
    same = compare(settings)
    print("tables equal to the full build:", same)


def late_share(given: argparse.Namespace) -> int:
    """Millionths of the events of three days that are to come late."""
    return int(1_000_000 * given.new * given.late / (given.events / given.days * 3))


def fill(shop: duckdb.DuckDBPyConnection, events: int, days: int) -> None:
    first = AS_OF - timedelta(days=days)
    shop.execute(VISITS, {"visits": events // EVENTS_PER_VISIT, "span_us": days * 86_400_000_000})
    shop.execute(CLICKS, {"first": first})


def earlier(shop: duckdb.DuckDBPyConnection, events: int) -> datetime:
    """The as_of after which so many events happened."""
    query = (
        f"select event_datetime from clicks where event_datetime < '{AS_OF}' order by 1 desc limit 1 offset {events}"
    )
    found = shop.execute(query).fetchone()
    assert found
    last: datetime = found[0]
    return last.astimezone(UTC).replace(microsecond=0)


def land(shop: duckdb.DuckDBPyConnection, store: Store, as_of: datetime, where: str, settings: Settings) -> int:
    """Writes raw files and their snapshot as an extraction would have."""
    fingerprint = load_mapping(settings).fingerprint(TABLES["events"])
    days = shop.execute(
        f"select event_datetime::date as day, count(*) from clicks where {where} group by 1 order by 1"
    ).fetchall()
    files = []
    for day, rows in days:
        path = Path(settings.store) / "landing.parquet"
        columns = ", ".join(column.name for column in TABLES["events"].columns)
        shop.execute(
            f"copy (select {columns} from clicks where {where} and event_datetime::date = '{day}' order by event_datetime, all_columns) "
            f"to '{path}' (format parquet, compression zstd, compression_level 1, row_group_size 122880)".replace(
                "all_columns", columns
            )
        )
        digest, size = sha256_of(path), path.stat().st_size
        key = f"raw/events/source={fingerprint}/day={day}/{digest[:16]}.parquet"
        store.adopt(path, key)
        files.append(RawFile(str(day), key, rows, size, digest))
    run = Run.create(datasets.load("events_and_funnels"), f"{as_of:%Y-%m-%dT%H:%M:%SZ}", settings)
    snapshot = Snapshot("events", run.as_of.label, run.as_of.label, tuple(files))
    SnapshotCatalogue(store, TABLES["events"], fingerprint).save(run.as_of, snapshot)
    rates, label = TABLES["exchange_rates"], run.as_of.label
    none = Snapshot(rates.name, label, label, (), columns={"rate": "numeric"})
    SnapshotCatalogue(store, rates, load_mapping(settings).fingerprint(rates)).save(run.as_of, none)
    return snapshot.rows


def timed_run(settings: Settings, as_of: datetime) -> tuple[Run, dict[str, tuple[float, float]]]:
    run = Run.create(datasets.load("events_and_funnels"), f"{as_of:%Y-%m-%dT%H:%M:%SZ}", settings)
    steps.extract(run, "ingest")
    seconds: dict[str, tuple[float, float]] = {}
    for declared in run.dataset.tasks:
        seconds[declared.name] = timed(lambda name=declared.name: steps.transform(run, name))  # type: ignore[misc]
    seconds["check"] = timed(lambda: steps.check(run))
    seconds["publish"] = timed(lambda: steps.publish(run))
    steps.register(run)
    return run, seconds


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    begun, busy = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - begun, time.process_time() - busy


def compare(settings: Callable[[str], Settings]) -> bool:
    found = []
    for name in ("continued", "full"):
        run = Run.create(datasets.load("events_and_funnels"), f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}", settings(name))
        manifest = run.versions.need(run.as_of)
        found.append(
            {file.path: file.sha256 for file in manifest.all_files if not file.path.startswith(ARRIVAL_DEPENDENT)}
        )
    return found[0] == found[1]


if __name__ == "__main__":
    main()
