"""Versions made by hand, where computing them would take minutes, or hours."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shopmill import datasets
from shopmill.run.content import _describe, plain
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.standards import describe
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions


def publish(store: Store, dataset: str, as_of: str, tables: Mapping[str, Mapping[str, Path]], zone: ZoneInfo) -> None:
    """Publishes Parquet files, by their places in the version, as tables of a dataset: which takes them over."""
    declared = datasets.load(dataset)
    described = {
        name: _describe(declared.table(name), [_file(place, file) for place, file in files.items()])
        for name, files in tables.items()
    }
    content = {
        "main_table": next(iter(tables)),
        "tables": described,
        "inputs": {},
        "rejected": {},
        "software": {"shopmill": "0", "engine": "none"},
        "parameters": {parameter.name: plain(parameter.default) for parameter in declared.parameters},
    }
    staged = {place: f"staged/{place}" for files in tables.values() for place in files}
    for files in tables.values():
        for place, file in files.items():
            store.adopt(file, staged[place])
    manifest = Manifest(dataset, as_of, content, {"previous": None, "checks": [], "snapshots": {}})
    Versions(store, dataset, zone).publish(manifest, staged, described=describe(manifest))


def _file(place: str, file: Path) -> File:
    return File(place, pq.read_metadata(file).num_rows, file.stat().st_size, sha256_of(file))


def publish_vectors(folder: Path, matrix: np.ndarray, zone: ZoneInfo) -> None:
    """Publishes articles_embeddings with the rows of a matrix; articles are numbered. Its file has no field ids."""
    store, declared = Store(str(folder)), datasets.load("articles_embeddings").table("bert")
    rows, dim = matrix.shape
    columns = {
        "article_id": [f"{number:010d}" for number in range(rows)],
        "embedding": pa.FixedSizeListArray.from_arrays(matrix.ravel(), dim).cast(pa.list_(pa.float32())),
        "text_hash": [""] * rows,
        "model_id": ["none"] * rows,
        "model_revision": ["0"] * rows,
        "dim": pa.array([dim] * rows, pa.int32()),
        "n_tokens": pa.array([1] * rows, pa.int32()),
        "was_truncated": [False] * rows,
    }
    file = folder / "bert.parquet"
    pq.write_table(pa.table({column.name: columns[column.name] for column in declared.columns}), file)
    publish(store, "articles_embeddings", "2018-01-01", {"bert": {"bert/part-00000.parquet": file}}, zone)
