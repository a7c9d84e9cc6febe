"""Runs of events_and_funnels on rows that a test makes, without registry and database."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill import datasets
from shopmill.run.checks import Result
from shopmill.run.compute import compute, prepare, run_checks
from shopmill.run.content import build_manifest
from shopmill.run.run import Run
from shopmill.run.staging import Counts
from shopmill.run.workspace import open_workspace
from shopmill.settings import Settings
from shopmill.source.snapshot import RawFile, Snapshot, snapshot_key
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import sha256_of, to_json

Row = tuple[Any, ...]
ARRIVAL_DEPENDENT = "session_history"
FIRST = datetime(2020, 9, 18, 21, tzinfo=UTC)
OF_A_SHOP = {"row count", "a type that is known"}
"""Checks that a handful of made events may fail: none at all, or none but wishes."""
PARAMETERS = {"stitching": "none", "max_session_hours": 2, "max_reject_share": 1, "max_row_drop": 1}
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("event_id", "session_id", "customer_id", "article_id", "event_type")),
        ("event_value", pa.decimal128(18, 6)),
        ("visitor_id", pa.string()),
        ("user_agent", pa.string()),
        ("event_datetime", pa.timestamp("us", "UTC")),
    ]
)


def complete(row: Row) -> Row:
    """A row with all columns: one of a shop without visitor_id and user_agent has none of these two."""
    return row if len(row) == len(SCHEMA) else (*row[:-1], None, None, row[-1])


def land(run: Run, rows: Iterable[Row]) -> None:
    """Leaves raw files of the rows for the run, as an extraction would."""
    days: dict[str, list[Row]] = {}
    for row in sorted(map(complete, rows), key=lambda row: (row[-1], *map(str, row))):
        days.setdefault(str(row[-1].astimezone(run.settings.zone).date()), []).append(row)
    files = []
    for day, found in sorted(days.items()):
        with run.store.scratch() as scratch:
            path = scratch / "day.parquet"
            pq.write_table(
                pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in found], SCHEMA), path
            )
            digest, size = sha256_of(path), path.stat().st_size
            key = f"raw/events/day={day}/{digest[:16]}.parquet"
            run.store.adopt(path, key)
        files.append(RawFile(day, key, len(found), size, digest))
    read = {"events": _noted(run, "events", files), "exchange_rates": _noted(run, "exchange_rates", [])}
    run.staging.write_inputs("ingest", read)


def _noted(run: Run, table: str, files: list[RawFile]) -> Snapshot:
    snapshot = Snapshot(table, run.as_of.label, run.as_of.label, tuple(files))
    key = snapshot_key(f"raw/{table}", run.as_of.instant, 0)
    run.store.write(key, to_json(asdict(snapshot)))
    return Snapshot(**{**vars(snapshot), "key": key})


def build(settings: Settings, as_of: datetime, rows: Iterable[Row], **parameters: Any) -> Manifest:
    """A published version, checked, without registry and database."""
    run, results = judge(settings, as_of, rows, **parameters)
    assert not [r.sentence() for r in results if not r.passed and r.severity == "error" and r.name not in OF_A_SHOP]
    run.staging.write_checks([])
    run.staging.write_counts(Counts())
    manifest = build_manifest(run)
    run.versions.publish(manifest, {s.file.path: s.key for t in manifest.tables for s in run.staging.files(t)})
    return manifest


def judge(settings: Settings, as_of: datetime, rows: Iterable[Row], **parameters: Any) -> tuple[Run, list[Result]]:
    """A run whose tables are computed, and the results of its checks."""
    run = Run.create(
        datasets.load("events_and_funnels"), f"{as_of:%Y-%m-%dT%H:%M:%SZ}", settings, {**PARAMETERS, **parameters}
    )
    land(run, rows)
    prepare(run)
    with open_workspace(run) as workspace:
        for task in run.dataset.tasks:
            for name in task.tables:
                compute(workspace, run.dataset.table(name))
    with open_workspace(run, only_computed=True) as workspace:
        return run, run_checks(workspace)


def tables(manifest: Manifest) -> list[tuple[str, str]]:
    """The files in the order that counts for the version, all but those of what depends on arrival."""
    return [(f.path, f.sha256) for f in manifest.all_files if not f.path.startswith(ARRIVAL_DEPENDENT)]


def read(settings: Settings, manifest: Manifest, table: str) -> list[dict[str, Any]]:
    run = Run.create(datasets.load("events_and_funnels"), manifest.as_of, settings)
    files = run.store.fetch(run.versions.keys_of(manifest, table), Path(settings.store))
    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]).to_pylist()


def local(folder: str, name: str, **changes: Any) -> Settings:
    return Settings(_env_file=None, store=f"{folder}/{name}", **{"time_zone": "Europe/Stockholm", **changes})


def view(event_id: str, minutes: float, customer: str = "c1") -> Row:
    return (event_id, "s1", customer, "a1", "view", None, FIRST + timedelta(minutes=minutes))
