"""Published versions without a run: a table of Parquet, and a manifest as a run would write it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.catalogue.reader import Reader
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

NOW = datetime(2020, 9, 24, 12, tzinfo=UTC)
CHECK = {"name": "row count", "table": "interactions", "severity": "error", "meaning": "there are rows"}
PASSED = {**CHECK, "passed": True, "violations": 0, "detail": "", "examples": []}


@dataclass(frozen=True)
class Shelf:
    """A store with versions of one dataset."""

    settings: Settings
    dataset: str = "user_item_interactions"

    @property
    def versions(self) -> Versions:
        return Versions(Store(self.settings.store), self.dataset, self.settings.zone)

    def reader(self, **changed: Any) -> Reader:
        return Reader(self.settings.model_copy(update=changed), NOW)

    def publish(
        self,
        as_of: str,
        tables: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        checks: Sequence[Mapping[str, Any]] = (PASSED,),
        **content: Any,
    ) -> Manifest:
        """Publishes a version; the first table is the main one."""
        store = self.versions.store
        described, staged = {}, {}
        for name, rows in tables.items():
            path = Path(self.settings.store) / "staging" / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
            file = {
                "path": f"{name}/part-00000.parquet",
                "rows": len(rows),
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            columns = [
                {"name": c, "type": "varchar", "unit": "", "meaning": f"the {c}"} for c in (rows[0] if rows else {})
            ]
            described[name] = {"grain": f"one row per {name}", "key": [], "columns": columns, "files": [file]}
            staged[str(file["path"])] = f"staging/{name}.parquet"
        manifest = Manifest(
            self.dataset,
            as_of,
            {
                "main_table": next(iter(tables)),
                "tables": described,
                "inputs": {"transactions": {"rows": 10, "sha256": "0"}},
                "parameters": {},
                "code": {},
                "software": {"shopmill": "0.1.0"},
                "rejected": {},
                **content,
            },
            {"checks": list(checks), "previous": None, "snapshots": {}},
        )
        assert store.root is not None
        self.versions.publish(manifest, staged)
        return manifest
