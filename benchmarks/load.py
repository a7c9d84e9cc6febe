"""What reading a version costs beside pyarrow on the same files: the whole table, and one column with a filter.

    python benchmarks/load.py --rows 17400000 --folder /tmp/benchmark

Each is done three times and the least is told, in seconds of the processor and of the clock.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

import shopmill
from shopmill import datasets
from shopmill.run.content import _describe
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

DATASET, TABLE, AS_OF = "user_item_interactions", "interactions", "2020-09-23"
ROWS = """
    select
      lpad((i // 13)::varchar, 10, '0') as customer_id, lpad((hash(i) % 105542)::varchar, 10, '0') as article_id,
      1 + hash(i) % 3 as purchase_count, 0 as view_count, 0 as click_count, 0 as cart_count, 0 as return_count,
      1 + hash(i) % 3 as interaction_count, (hash(i) % 5000)::decimal(38, 6) / 100 as spend_sum,
      date '2018-09-20' + (hash(-i) % 700)::integer as first_interaction_date,
      date '2018-09-20' + (hash(-i) % 734)::integer as last_interaction_date,
      (hash(-i) % 734)::integer as recency_days, (hash(i) % 1000000)::decimal(38, 12) / 1000000 as time_weighted_score
    from range($rows) as r(i)
"""


def publish(folder: Path, rows: int) -> None:
    store = Store(str(folder / "store"))
    declared = datasets.load(DATASET).table(TABLE)
    names = ", ".join(f"cast({c.name} as {c.type}) as {c.name}" for c in declared.columns)
    file = folder / "interactions.parquet"
    query = f"select {names} from ({ROWS.replace('$rows', str(rows))}) order by customer_id, article_id"
    duckdb.execute(f"copy ({query}) to '{file}' (format parquet, compression zstd, row_group_size 122880)")
    path = f"{TABLE}/part-00000.parquet"
    described = _describe(declared, [File(path, rows, file.stat().st_size, sha256_of(file))])
    content = {"main_table": TABLE, "tables": {TABLE: described}, "inputs": {}, "rejected": {}}
    store.adopt(file, "staged")
    manifest = Manifest(DATASET, AS_OF, content, {"previous": None, "checks": [], "snapshots": {}})
    Versions(store, DATASET, ZoneInfo("UTC")).publish(manifest, {path: "staged"})


def least(what: str, action: Callable[[], Any]) -> float:
    costs = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        costs.append((time.process_time() - cpu, time.perf_counter() - wall))
    print(f"  {what:<58} {min(costs)[0]:7.2f} s of processor {min(c[1] for c in costs):7.2f} s", flush=True)
    return min(costs)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=17_400_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/benchmark"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if not (given.folder / "store" / DATASET).exists():
        publish(given.folder, given.rows)
    opened = shopmill.load(DATASET, store=str(given.folder / "store"))
    files = [str(file) for file in opened.files()]
    late, one = pc.field("last_interaction_date") >= date(2020, 9, 16), pc.field("customer_id") == "0000700000"
    compare = {
        "one column, rows of the last week": (
            lambda: pq.read_table(files, columns=["spend_sum"], filters=late).to_pandas(),
            lambda: opened.to_pandas(columns=["spend_sum"], where="last_interaction_date >= date '2020-09-16'"),
        ),
        "one column, rows of one customer": (
            lambda: pq.read_table(files, columns=["spend_sum"], filters=one).to_pandas(),
            lambda: opened.to_pandas(columns=["spend_sum"], where="customer_id = '0000700000'"),
        ),
        "one column of numbers": (
            lambda: pq.read_table(files, columns=["purchase_count"]).to_pandas(),
            lambda: opened.to_pandas(columns=["purchase_count"]),
        ),
        "all, as Arrow": (lambda: pq.read_table(files), opened.to_arrow),
    }
    for what, (theirs, ours) in compare.items():
        print(f"{what}, of {opened.manifest.rows(TABLE):,} rows:")
        print(f"  ratio {least('shopmill.load(...)', ours) / least('pyarrow on the same files', theirs):.2f}")


if __name__ == "__main__":
    main()
