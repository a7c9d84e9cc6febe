"""Raw files without a person, and the snapshots that name them.

A file is written as the extraction writes it, so that reading the shop again, without the person, gives the same bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from shopmill.errors import DamagedError
from shopmill.source.contract import TABLES, SourceTable
from shopmill.source.day_files import DayFiles
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.rows import without
from shopmill.versions import layout
from shopmill.versions.snapshot_documents import read_snapshot
from shopmill.versions.store import Store, sha256_of, to_json

Replaced = dict[str, Mapping[str, Any] | None]


def rewrite(holdings: Holdings, due: list[Holding], person: Person) -> Replaced:
    """Writes raw files again, beside those that there are; gives what takes the place of which."""
    return {holding.key: _rewritten(holdings, holding, person) for holding in due}


def _rewritten(holdings: Holdings, holding: Holding, person: Person) -> Mapping[str, Any] | None:
    made: list[RawFile] = []

    def deliver(_day: str, path: Path, rows: int) -> None:
        sha256, size = sha256_of(path), path.stat().st_size
        key = f"{holding.key.rsplit('/', 1)[0]}/{sha256[:16]}.parquet"
        holdings.store.adopt(path, key)
        made.append(RawFile(holding.day, key, rows, size, sha256))

    folder = holdings.scratch / "raw"
    folder.mkdir(exist_ok=True)
    files = DayFiles(_table(holding.table), folder, deliver)
    for batch in without(holdings.path(holding), person):
        if batch.num_rows:
            files.add(_with_day(batch, holding))
    files.close()
    holdings.store.flush(file.key for file in made)
    return asdict(made[0]) if made else None


def _table(name: str) -> SourceTable:
    return TABLES.get(name) or SourceTable(name, ())


def _with_day(batch: pa.RecordBatch, holding: Holding) -> pa.RecordBatch:
    day = date.fromisoformat(holding.day) if holding.is_dated else None
    days = pa.array([day] * batch.num_rows, pa.date32())
    return pa.RecordBatch.from_arrays([days, *batch.columns], names=["_day", *batch.schema.names])


def name_instead(store: Store, replaced: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Lets every snapshot name the files that took the place of others."""
    changed: dict[str, bytes] = {}
    for key in filter(layout.is_snapshot, store.keys(layout.RAW)) if replaced else ():
        try:
            document = store.read_json(key)
        except DamagedError:
            continue  # it counts as absent, and names nobody
        if (after := renamed(document, replaced)) != document:
            changed[key] = to_json(after)
    store.write_all(changed)


def renamed(document: Mapping[str, Any], replaced: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """A snapshot, whole or a difference, with the files that took the place of others."""
    changed = dict(document)
    files = [replaced.get(file["key"], file) for file in document.get("files", [])]
    changed["files"] = [file for file in files if file]
    if "without" in document:
        keys = [key if key not in replaced else (replaced[key] or {}).get("key") for key in document["without"]]
        changed["without"] = [key for key in keys if key]
    return changed


class Snapshots:
    """The snapshots of a store as they will be."""

    def __init__(self, store: Store, replaced: Mapping[str, Mapping[str, Any] | None]):
        self._store, self._replaced = store, replaced
        self._inputs: dict[str, dict[str, Any] | None] = {}
        self._wholes: dict[str, Any] = {}

    def input_of(self, key: str) -> dict[str, Any] | None:
        """What a manifest says of the rows of a snapshot; None where there is no such snapshot any more."""
        if key not in self._inputs:
            self._inputs[key] = self._described(key)
        return self._inputs[key]

    def _described(self, key: str) -> dict[str, Any] | None:
        try:
            found = Snapshot.from_document({**read_snapshot(self._store, key, self._wholes), "key": key})
        except (DamagedError, FileNotFoundError, KeyError, TypeError):
            return None
        will_be = replace(found, files=tuple(self._files(found)))
        return {"rows": will_be.rows, "sha256": will_be.sha256}

    def _files(self, snapshot: Snapshot) -> Iterator[RawFile]:
        for file in snapshot.files:
            if file.key not in self._replaced:
                yield file
            elif instead := self._replaced[file.key]:
                yield RawFile(**instead)
