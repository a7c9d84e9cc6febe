"""Runs of timeseries from rows in memory: the files that extraction would leave, then every step but the registry's."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from arrow_types import ARROW
from shopmill import datasets
from shopmill.run.checks import Result
from shopmill.run.compute import compute, prepare, run_checks
from shopmill.run.content import build_manifest
from shopmill.run.run import Run
from shopmill.run.staging import Counts
from shopmill.run.workspace import open_workspace
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.snapshot import RawFile, Snapshot, snapshot_key
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import sha256_of, to_json

Row = Mapping[str, Any]
LENIENT = {"max_reject_share": 1, "max_row_drop": 1}


@dataclass(frozen=True)
class Rows:
    """What the shop's tables hold at one moment."""

    transactions: Sequence[Row]
    articles: Sequence[Row] = ()
    promotions: Sequence[Row] = ()
    exchange_rates: Sequence[Row] = ()


def line(ds: date, article: str, customer: str | None = "c1", price: str = "1") -> Row:
    return {
        "t_dat": ds,
        "customer_id": customer,
        "article_id": article,
        "price": Decimal(price),
        "quantity": Decimal(1),
        "sales_channel_id": 1,
    }


@dataclass
class SeriesShop:
    """A store that runs follow each other in."""

    folder: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 2

    def build(self, as_of: date, rows: Rows) -> Manifest:
        """Publishes one version, which continues from what the store holds; all checks but freshness must pass."""
        run = self.transformed(as_of, rows)
        results = self.checked(run)
        assert [r.sentence() for r in results if not r.passed and r.severity == "error"] == []
        run.staging.write_checks([])
        run.staging.write_counts(Counts())
        manifest = build_manifest(run)
        run.versions.publish(
            manifest, {s.file.path: s.key for name in manifest.tables for s in run.staging.files(name)}
        )
        run.staging.clear()
        return manifest

    def transformed(self, as_of: date, rows: Rows) -> Run:
        """A run whose tables are staged."""
        settings = Settings(_env_file=None, store=str(self.folder), threads=self.threads)
        run = Run.create(datasets.load("timeseries"), str(as_of), settings, {**LENIENT, **self.parameters})
        run.staging.write_inputs(
            "extract", {name: self._snapshot(run, name, getattr(rows, name)) for name in vars(rows)}
        )
        prepare(run)
        for task in run.dataset.tasks:
            with open_workspace(run) as workspace:
                for name in task.tables:
                    compute(workspace, run.dataset.table(name))
        return run

    def checked(self, run: Run) -> list[Result]:
        with open_workspace(run, only_computed=True) as workspace:
            return [result for result in run_checks(workspace) if not result.name.endswith("fresh")]

    def rows(self, manifest: Manifest, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The published rows, ordered by all columns."""
        folder = Path(self.folder) / "timeseries" / f"as_of={manifest.as_of}" / f"version={manifest.version}" / table
        files = f"read_parquet('{folder}/*.parquet', hive_partitioning = false)"
        return duckdb.connect().sql(f"select {columns} from {files} order by all").fetchall()

    def _snapshot(self, run: Run, name: str, rows: Sequence[Row]) -> Snapshot:
        """Days strictly before as_of; dimensions whole."""
        by_day: dict[str, list[Row]] = {} if TABLES[name].time else {"": list(rows)}
        for row in rows if TABLES[name].time else ():
            if row["t_dat"] < date.fromisoformat(run.as_of.label):
                by_day.setdefault(str(row["t_dat"]), []).append(row)
        files = tuple(self._file(run, name, day, found) for day, found in sorted(by_day.items()))
        snapshot = Snapshot(name, run.as_of.label, run.as_of.label, files)
        key = snapshot_key(f"raw/{name}", run.as_of.instant, len(run.store.keys(f"raw/{name}/snapshots")))
        run.store.write(key, to_json(asdict(snapshot)))
        return Snapshot(name, run.as_of.label, run.as_of.label, files, key)

    def _file(self, run: Run, name: str, day: str, rows: list[Row]) -> RawFile:
        columns = TABLES[name].columns
        ordered = sorted(
            ({c.name: row.get(c.name) for c in columns} for row in rows), key=lambda row: str(row.values())
        )
        content = hashlib.sha256(repr([list(row.values()) for row in ordered]).encode()).hexdigest()[:16]
        path = Path(run.store.uri(f"raw/{name}/{day or 'whole'}-{content}.parquet"))
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(c.name, ARROW[c.type]) for c in columns])
        pq.write_table(pa.Table.from_pylist(ordered, schema=schema), path)
        return RawFile(
            day, str(path.relative_to(self.folder.resolve())), len(rows), path.stat().st_size, sha256_of(path)
        )
