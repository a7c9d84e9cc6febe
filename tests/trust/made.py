"""Versions made by hand: any rows, with the key and the types that a test needs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.settings import Settings
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.statistics import statistics_of
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

DATASET = "user_item_interactions"
KINDS = {pa.string(): "varchar", pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}


def publish(
    settings: Settings,
    as_of: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]] | Sequence[Sequence[Mapping[str, Any]]]],
    key: Mapping[str, Sequence[str]] | None = None,
    dataset: str = DATASET,
    **content: Any,
) -> Manifest:
    """Publishes a version; a table is a list of rows, or a list of such lists, one per file."""
    versions = Versions(Store(settings.store), dataset, settings.zone)
    described, staged = {}, {}
    for name, rows in tables.items():
        parts = rows if rows and not isinstance(rows[0], Mapping) else [rows]
        files, columns = [], []
        for number, part in enumerate(parts):
            path = Path(settings.store) / f"staging/{name}-{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # an earlier version has a link to it
            pq.write_table(found := pa.Table.from_pylist(list(part)), path)  # type: ignore[arg-type]
            columns = [{"name": f.name, "type": KINDS[f.type], "unit": "", "meaning": ""} for f in found.schema]
            file = File(f"{name}/part-{number:05}.parquet", len(part), path.stat().st_size, sha256_of(path))
            files.append(asdict(file))
            staged[file.path] = f"staging/{path.name}"
        described[name] = {"grain": "", "key": list((key or {}).get(name, ())), "columns": columns, "files": files}
    made = {
        "main_table": next(iter(tables)),
        "tables": described,
        "inputs": {"transactions": {"rows": 10, "sha256": "0" * 64}},
        "parameters": {},
        "code": {},
        "software": {},
        "rejected": {},
        **content,
    }
    manifest = Manifest(dataset, as_of, made, {"checks": [], "previous": None, "snapshots": {}})
    versions.publish(manifest, staged)
    statistics_of(versions, manifest)
    return manifest
