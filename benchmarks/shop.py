"""The synthetic shop's tables as extraction would leave them, made once per scale, and runs of datasets over them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from benchmarks.stage import Clock, Place, Results

if TYPE_CHECKING:
    import duckdb

    from shopmill.run.run import Run
    from shopmill.settings import Settings
    from shopmill.source.snapshot import RawFile, Snapshot

AS_OF = "2020-09-23"
DAY_OF = {"transactions": "t_dat", "orders": "order_datetime", "events": "event_datetime", "reviews": "review_date"}
Config = dict[str, str | bool | int | float | list[str]]
CONFIG: Config = {"autoinstall_known_extensions": False, "TimeZone": "UTC"}
WHOLE = "whole"
UNDATED = (WHOLE, "undated")
BY_THEIR_ORDER = "order_items"


class Described(TypedDict):
    """A raw file: its day, and what a snapshot says of it."""

    day: str
    rows: int
    bytes: int
    sha256: str


def make_tables(shop: Path, scale: float, tables: Iterable[str], last_days: int = 0) -> None:
    """Makes what is missing: `raw/<table>/<day>.parquet`, rows of as_of and later left out, and the files' hashes.

    With `last_days` the facts have so many days alone, which is enough to try something.
    """
    from shopmill.shops import synthetic

    wanted = {*tables, *(("orders",) if BY_THEIR_ORDER in tables else ())}
    missing = sorted(name for name in wanted if not (shop / "raw" / f"{name}.json").exists())
    whole = [name for name in missing if not (shop / "whole" / f"{name}.parquet").exists()]
    if whole:
        synthetic.to_parquet(shop / "whole", scale, only=whole)
    since = date.fromisoformat(AS_OF) - timedelta(days=last_days) if last_days else date.min
    for name in missing:
        _cut(shop, name, since)


def whole(place: Place, table: str) -> Path:
    """All rows of a table of the shop, in one file."""
    return place.shop / "whole" / f"{table}.parquet"


def _cut(shop: Path, name: str, since: date) -> None:
    import duckdb

    folder = shop / "raw" / name
    folder.mkdir(parents=True, exist_ok=True)
    query = (
        f"select {_columns(shop, name)}, {_day(name)} as _day from read_parquet('{shop}/whole/{name}.parquet') as rows"
    )
    if name == BY_THEIR_ORDER:
        orders = f"select order_id, min(order_datetime) as ordered_at from '{shop}/whole/orders.parquet' group by all"
        query += f" left join ({orders}) as placed using (order_id)"
    parted = shop / "parted"
    # One thread: one file per day, with its rows in order.
    with duckdb.connect(config={**CONFIG, "threads": 1}) as connection:
        connection.execute(
            f"copy (select * from ({query}) where (_day >= '{since}' and _day < '{AS_OF}') or _day in {UNDATED} order by _day) "
            f"to '{parted}' (format parquet, compression zstd, partition_by (_day), overwrite)"
        )
    for part in sorted(parted.glob("_day=*/*.parquet")):
        part.rename(folder / f"{part.parent.name.removeprefix('_day=')}.parquet")
        part.parent.rmdir()
    parted.rmdir()
    (shop / "raw" / f"{name}.json").write_text(json.dumps(_described(folder)))


def _columns(shop: Path, name: str) -> str:
    """The columns of the contract: those that the shop lacks have their default, as after extraction."""
    import pyarrow.parquet as pq

    from shopmill.source.contract import TABLES

    present = set(pq.read_schema(shop / "whole" / f"{name}.parquet").names)
    read = {c.name: f'rows."{c.name}"' if c.name in present else c.default for c in TABLES[name].columns}
    return ", ".join(f'cast({read[c.name]} as {c.type}) as "{c.name}"' for c in TABLES[name].columns)


def _day(name: str) -> str:
    if name == BY_THEIR_ORDER:
        return "coalesce(cast(cast(ordered_at as date) as varchar), 'undated')"
    return f"coalesce(cast(cast({DAY_OF[name]} as date) as varchar), 'undated')" if name in DAY_OF else f"'{WHOLE}'"


def _described(folder: Path) -> list[Described]:
    import pyarrow.parquet as pq

    from shopmill.versions.store import sha256_of

    files = sorted(folder.glob("*.parquet"))
    return [
        {"day": f.stem, "rows": pq.read_metadata(f).num_rows, "bytes": f.stat().st_size, "sha256": sha256_of(f)}
        for f in files
    ]


def run_dataset(
    name: str, place: Place, clock: Clock, parameters: Mapping[str, object] | None = None, as_of: str = AS_OF
) -> Results:
    """Transform, check and publish of a dataset, as `shopmill run` does them; gives the files of its tables.

    A run continues from what an earlier one as of the day before left in the same place.
    """
    from shopmill import datasets
    from shopmill.run import steps
    from shopmill.run.run import Run

    run = Run.create(datasets.load(name), as_of, settings(place), parameters)
    for task, inputs in run.dataset.extracts.items():
        run.staging.write_inputs(task, {read.table: _snapshot(run, place, read.table, as_of) for read in inputs})
    with clock:
        for declared in run.dataset.tasks:
            steps.transform(run, declared.name)
        steps.check(run)
        published = steps.publish(run)
    run.staging.clear()
    folder = Path(published.path)
    return {table.name: str(folder / table.name / "*.parquet") for table in run.dataset.published}


def settings(place: Place) -> "Settings":
    """Settings of a run in the contender's folder."""
    from shopmill.settings import Settings

    store = str(place.folder / "store")
    return Settings(_env_file=None, store=store, threads=place.threads, memory_limit=place.memory_limit)  # type: ignore[call-arg]


def _snapshot(run: "Run", place: Place, table: str, as_of: str) -> "Snapshot":
    from shopmill.source.snapshot import Snapshot, snapshot_key

    described = place.shop / "raw" / f"{table}.json"
    known = json.loads(described.read_text()) if described.exists() else []
    files = [_linked(run, place, table, one) for one in known if one["day"] in UNDATED or one["day"] < as_of]
    key = snapshot_key(f"raw/{table}", run.as_of.instant, 0)
    snapshot = Snapshot(table, as_of, as_of, tuple(files), key, columns={"is": "there"})
    run.store.write(key, json.dumps(asdict(snapshot)).encode())
    return snapshot


def _linked(run: "Run", place: Place, table: str, described: Described) -> "RawFile":
    from shopmill.source.snapshot import RawFile

    day = described["day"]
    key = f"raw/{table}/{day}.parquet"
    target = Path(run.store.uri(key))
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.hardlink_to(place.shop / "raw" / table / f"{day}.parquet")
    return RawFile("" if day == WHOLE else day, key, described["rows"], described["bytes"], described["sha256"])


def by_hand(place: Place) -> "duckdb.DuckDBPyConnection":
    """A DuckDB of one's own, with the same threads and memory."""
    import duckdb

    spill = str(place.folder / "spill")
    config: Config = {**CONFIG, "threads": place.threads, "memory_limit": place.memory_limit, "temp_directory": spill}
    return duckdb.connect(config=config)
