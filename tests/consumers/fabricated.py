"""A version made by hand, where computing one would take minutes."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shopmill import datasets
from shopmill.run.content import _describe
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions


def publish_vectors(folder: Path, matrix: np.ndarray, zone: ZoneInfo) -> None:
    """Publishes articles_embeddings with the rows of a matrix; articles are numbered."""
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
    path = "bert/part-00000.parquet"
    described = _describe(declared, [File(path, rows, file.stat().st_size, sha256_of(file))])
    content = {"main_table": "bert", "tables": {"bert": described}, "inputs": {}, "rejected": {}}
    store.adopt(file, "staged")
    manifest = Manifest("articles_embeddings", "2018-01-01", content, {"previous": None, "checks": [], "snapshots": {}})
    Versions(store, "articles_embeddings", zone).publish(manifest, {path: "staged"})
