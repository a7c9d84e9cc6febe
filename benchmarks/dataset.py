"""What a dataset costs on the synthetic shop's two years; of one that continues, also what one new day costs.

    python benchmarks/dataset.py timeseries --scale 0.1 --folder /tmp/benchmark
    python benchmarks/dataset.py customer_features --scale 1.0 --folder /tmp/benchmark

Transform, check and publish are timed, from raw files in the store on; no database takes part. Seconds of the processor
are told beside those of the clock: on a machine that does other work at the same time they are the ones to compare.
"""

import argparse
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from shopmill import datasets
from shopmill.asof import midnight
from shopmill.run.compute import compute, prepare, run_checks
from shopmill.run.content import build_manifest
from shopmill.run.run import Run
from shopmill.run.staging import Counts
from shopmill.run.workspace import open_workspace
from shopmill.settings import Settings
from shopmill.shops.synthetic import AS_OF, to_parquet
from shopmill.source.contract import TABLES
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store, sha256_of, to_json

BY_DAY = "transactions"
Files = dict[str, list[tuple[str, Path]]]


@dataclass
class Cost:
    """Seconds of the clock and of all processors."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def measured(what: str) -> Iterator[Cost]:
    cost, wall, cpu = Cost(), time.perf_counter(), time.process_time()
    yield cost
    cost.wall, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {what:<28} {cost.wall:7.1f} s   {cost.cpu:7.1f} s of processor", flush=True)


def raw_files(folder: Path, scale: float, tables: list[str]) -> Files:
    """The shop's tables as extraction would leave them: transactions by day, the others whole."""
    shop = folder / f"shop-{scale}"
    if missing := [name for name in tables if not (shop / f"{name}.parquet").exists()]:
        to_parquet(shop, scale, only=missing)
    return {name: days(shop) if name == BY_DAY else [("", known(shop, name))] for name in tables}


def days(shop: Path) -> list[tuple[str, Path]]:
    folder = shop / "days"
    if not folder.exists():
        query = f"select * from '{shop / BY_DAY}.parquet' where t_dat < date '{AS_OF}'"
        duckdb.execute(
            f"copy (select *, t_dat as day from ({query})) to '{folder}' (format parquet, partition_by (day))"
        )
    return [(part.parent.name.removeprefix("day="), part) for part in sorted(folder.glob("*/*.parquet"))]


def known(shop: Path, name: str) -> Path:
    """The rows of a table that are dated before as_of, or have no time of their own."""
    declared, path = TABLES[name], shop / "known" / f"{name}.parquet"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        has_time = declared.time in {column.name for column in declared.columns}
        where = f"{declared.time} < '{midnight(AS_OF, ZoneInfo('UTC'))}'" if has_time else "true"
        duckdb.execute("set timezone = 'UTC'")
        duckdb.execute(f"copy (select * from '{shop / name}.parquet' where {where}) to '{path}' (format parquet)")
    return path


def fill_raw(store: Store, files: Files, as_of: date) -> dict[str, Snapshot]:
    """Snapshots of what a run as of `as_of` may see, their files linked into the store."""
    return {name: _snapshot(store, name, files[name], as_of) for name in files}


def _snapshot(store: Store, name: str, files: list[tuple[str, Path]], as_of: date) -> Snapshot:
    kept = []
    for day, path in files:
        if day < str(as_of):
            key = f"raw/{name}/{day or 'whole'}-{path.stat().st_ino}.parquet"
            _link(path, Path(store.uri(key)))
            rows = duckdb.execute(f"select num_rows from parquet_file_metadata('{path}')").fetchall()[0][0]
            kept.append(RawFile(day, key, rows, path.stat().st_size, sha256_of(path)))
    key = f"raw/{name}/snapshots/{as_of}.json"
    snapshot = Snapshot(name, str(as_of), str(as_of), tuple(kept), key)
    store.write(key, to_json(asdict(snapshot)))
    return snapshot


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.hardlink_to(path)


def build(name: str, settings: Settings, files: Files, as_of: date) -> tuple[Manifest, Cost]:
    """One run, which continues from what its store holds."""
    run = Run.create(datasets.load(name), str(as_of), settings)
    snapshots = fill_raw(run.store, files, as_of)
    for task, inputs in run.dataset.extracts.items():
        run.staging.write_inputs(task, {read.table: snapshots[read.table] for read in inputs})
    total = Cost()
    with measured("prepare") as cost:
        prepare(run)
    total = Cost(total.wall + cost.wall, total.cpu + cost.cpu)
    for task in run.dataset.tasks:
        with measured(task.name) as cost, open_workspace(run) as workspace:
            for table in task.tables:
                compute(workspace, run.dataset.table(table))
        total = Cost(total.wall + cost.wall, total.cpu + cost.cpu)
    with measured("check and publish") as cost:
        manifest = _publish(run)
    return manifest, Cost(total.wall + cost.wall, total.cpu + cost.cpu)


def _publish(run: Run) -> Manifest:
    with open_workspace(run, only_computed=True) as workspace:
        results = run_checks(workspace)
    failed = [result.sentence() for result in results if not result.passed and result.severity == "error"]
    if failed:
        raise SystemExit(f"checks failed: {failed}")
    run.staging.write_checks(results)
    run.staging.write_counts(Counts())
    manifest = build_manifest(run)
    run.versions.publish(manifest, {s.file.path: s.key for name in manifest.tables for s in run.staging.files(name)})
    run.staging.clear()
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rebuild-only", action="store_true", help="one full build, for its time and memory")
    given = parser.parse_args()
    dataset = datasets.load(given.dataset)
    tables = sorted(read.table for read in dataset.inputs)
    files = raw_files(given.folder, given.scale, tables)
    stores = [given.folder / "store-continued", given.folder / "store-rebuilt"]
    for store in stores:
        shutil.rmtree(store, ignore_errors=True)
    continued, rebuilt = (Settings(_env_file=None, store=str(store)) for store in stores)
    print("full build")
    manifest, full = build(dataset.name, rebuilt, files, AS_OF)
    if dataset.incremental and not given.rebuild_only:
        print("full build of the day before")
        build(dataset.name, continued, files, AS_OF - timedelta(days=1))
        print("one new day on top of it")
        again, day = build(dataset.name, continued, files, AS_OF)
        print(f"one day: {day.wall / full.wall:.1%} of the time, {day.cpu / full.cpu:.1%} of the processor's time")
        print("the same version" if again.version == manifest.version else "ANOTHER VERSION")
    rows = {name: manifest.rows(name) for name in manifest.tables}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"full: {full.wall:.0f} s, {full.cpu:.0f} s of processor, {peak:.2f} GiB at most; rows: {rows}")


if __name__ == "__main__":
    main()
