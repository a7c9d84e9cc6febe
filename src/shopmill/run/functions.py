"""What Python computes where SQL cannot: texts, embeddings, matrices. SQL gives the rows, a function does the rest.

A function is named in the declaration as `package.module:name` and imported when it is called. It takes a Context and
an iterator of Arrow batches; that of a table gives an iterator of Arrow batches with the table's columns, that of an
artifact writes its files into the folder it is given as well.

The two of a `Serving` give a check's Result. `prepare` takes a run and the id that its staged tables will have as a version;
`serve` takes a run and the manifest of the version that was published, and builds what was not prepared or is missing.

What is computed of a row must not depend on the rows beside it: engines give rows in any order and in any batches.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.engine.protocol import Bound
from shopmill.settings import Settings
from shopmill.versions.store import Store

ROWS_PER_BATCH = 65_536
"""What a function has in hand at once: with vectors of 384 numbers 100 MB."""

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Context:
    """What a function may use beside its rows. What it adds to `counts` is reported in the summary of its task."""

    bound: Bound
    settings: Settings
    store: Store
    counts: Counter[str] = field(default_factory=Counter)


def find_function(path: str) -> Callable[..., Any]:
    """The function at `package.module:name`."""
    module, _, name = path.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def read_batches(path: Path, columns: list[str] | None = None) -> Batches:
    """The rows of a Parquet file; by default with all its columns."""
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(ROWS_PER_BATCH, columns=columns)


def write_batches(batches: Batches, target: Path) -> list[str]:
    """Writes what a function gives, batch by batch; returns the names of its columns, none where it gives nothing."""
    first = next(batches, None)
    if first is None:
        return []
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(target, first.schema, compression="lz4") as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
    return list(first.schema.names)
