"""Extraction without a registry: what a table is at an as_of, read from a real shop."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import pyarrow.parquet as pq
import pytest
from rows import Extract

from shopmill.asof import AsOf
from shopmill.settings import Settings
from shopmill.source.extraction import Extraction
from shopmill.source.snapshot import Snapshot
from shopmill.versions.store import Store


@pytest.fixture
def extract(settings: Settings) -> Extract:
    def run(
        as_of: str, tables: Iterable[str], refresh: bool = False, optional: Iterable[str] = (), **changes: Any
    ) -> dict[str, Snapshot]:
        chosen = settings.model_copy(update=changes)
        store = Store(chosen.store)
        extraction = Extraction(chosen, store, AsOf.parse(as_of, chosen.zone), lambda _name: nullcontext())
        return extraction.run(tables, refresh, tuple(optional))

    return run


@pytest.fixture
def rows_of(settings: Settings) -> Callable[[Snapshot], list[dict[str, Any]]]:
    def read(snapshot: Snapshot) -> list[dict[str, Any]]:
        files = Store(settings.store).fetch([file.key for file in snapshot.files], settings.work_folder)  # type: ignore[arg-type]
        return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]

    return read
