"""user_item_interactions at H&M's size against one hand-written DuckDB COPY of the same columns in the same order.

    python benchmarks/interactions.py --scale 1.0

Makes the raw files of the synthetic shop's transactions (31,788,324 at scale 1.0), then runs, each in a process of its
own: transform, check and publish of the dataset as `shopmill run` does them; and the COPY. Prints seconds, their ratio,
and the peak memory of both.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from shopmill import datasets
from shopmill.engine.duckdb_engine import connect
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic
from shopmill.shops.server import demo_server
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.store import sha256_of

AS_OF = "2020-09-23"
INPUTS = ("transactions", "articles", "events", "orders", "order_items")

BY_HAND = """
copy (
  select
    customer_id, article_id, count(*) as purchase_count, 0::bigint as view_count, 0::bigint as click_count,
    0::bigint as cart_count, 0::bigint as return_count, count(*) as interaction_count,
    sum(price)::decimal(38, 6) as spend_sum, min(t_dat) as first_interaction_date, max(t_dat) as last_interaction_date,
    date_diff('day', max(t_dat), $as_of)::integer as recency_days,
    sum(round(0.5 ** (date_diff('day', t_dat, $as_of) / 30), 12)::decimal(18, 12))::decimal(38, 12) as time_weighted_score
  from read_parquet('{transactions}')
  where t_dat < $as_of and customer_id is not null and article_id is not null and price >= 0
  group by all
  order by customer_id, article_id
) to '{target}' (format parquet, compression zstd, row_group_size 122880)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--folder", type=Path, help="where the files go, kept; default: a temporary folder")
    parser.add_argument("--only", choices=["dataset", "copy"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps({"dataset": dataset, "copy": by_hand}[given.only](given.folder)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "transactions.parquet").exists():
            _make_raw(folder, given.scale)
        Path(temporary).chmod(0o755)
        server = demo_server(Path(temporary) / "postgres")
        try:
            measured = {name: _measure(name, folder, server.registry_dsn) for name in ("copy", "dataset")}
        finally:
            server.postgres.stop()
    for name, figures in measured.items():
        print(f"{name}: {figures}")
    print(f"ratio {measured['dataset']['seconds'] / measured['copy']['seconds']:.2f}")


def _make_raw(folder: Path, scale: float) -> None:
    """The rows that extraction would have read: the shop has a few that are dated at or after as_of."""
    made = folder / "made"
    synthetic.to_parquet(made, scale, only=("transactions", "articles"))
    (made / "articles.parquet").rename(folder / "articles.parquet")
    query = f"select * from '{made / 'transactions.parquet'}' where t_dat is null or t_dat < '{AS_OF}'"
    duckdb.connect().execute(
        f"copy ({query}) to '{folder / 'transactions.parquet'}' (format parquet, compression zstd)"
    )
    (made / "transactions.parquet").unlink()


def _measure(name: str, folder: Path, registry_dsn: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", name, "--folder", str(folder)]
    environment = {"SHOPMILL_REGISTRY_DSN": registry_dsn, "PATH": ""}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def by_hand(folder: Path) -> dict[str, float]:
    settings = Settings(store=str(folder / "store"))
    connection = connect(settings, folder)
    query = BY_HAND.format(transactions=folder / "transactions.parquet", target=folder / "by_hand.parquet")
    return _timed(lambda: connection.execute(query, {"as_of": date.fromisoformat(AS_OF)}))


def dataset(folder: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=folder) as store:
        run = Run.create(datasets.load("user_item_interactions"), AS_OF, Settings(store=store))
        run.registry.begin(run.run_id, run.dataset.name, AS_OF, {}, {})
        run.staging.write_inputs("extract", {name: _snapshot(run, folder, name) for name in INPUTS})
        phases = {}
        for name, step in (
            ("transform", lambda: steps.transform(run, "transform")),
            ("check", lambda: steps.check(run)),
            ("publish", lambda: steps.publish(run)),
        ):
            phases[name] = _timed(step)
    total = sum(phase["seconds"] for phase in phases.values())
    return {
        "seconds": round(total, 2),
        "peak_gib": phases["publish"]["peak_gib"],
        **{name: phase["seconds"] for name, phase in phases.items()},
    }


def _snapshot(run: Run, folder: Path, name: str) -> Snapshot:
    path = folder / f"{name}.parquet"
    if not path.exists():
        return Snapshot(name, AS_OF, AS_OF, ())
    key = f"raw/{name}.parquet"
    run.store.write(key, b"")
    target = Path(run.store.uri(key))
    target.unlink()
    target.hardlink_to(path)
    rows = pq.read_metadata(path).num_rows
    return Snapshot(name, AS_OF, AS_OF, (RawFile("2020-09-22", key, rows, path.stat().st_size, sha256_of(path)),))


def _timed(job: object) -> dict[str, float]:
    begun = time.perf_counter()
    job()  # type: ignore[operator]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"seconds": round(time.perf_counter() - begun, 2), "peak_gib": round(peak, 2)}


if __name__ == "__main__":
    main()
