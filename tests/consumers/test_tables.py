"""Hugging Face datasets, Iceberg, MLflow, LanceDB and FAISS: files that others open in place of ours."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from fabricated import publish_vectors

import shopmill
from conftest import Written
from shopmill.run.staging import staged_runs
from shopmill.settings import Settings
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.locks import Locks
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store

INTERACTIONS = "user_item_interactions"


def test_load_dataset_loads_every_table_that_has_rows(
    shop: Settings, exported: Callable[..., Written], proof: Any
) -> None:
    datasets = pytest.importorskip("datasets")
    written = exported(INTERACTIONS, "huggingface")
    loaded = datasets.load_dataset(str(written.folder), cache_dir=str(written.folder / "cache"))["train"]
    opened = shopmill.load(INTERACTIONS)
    assert loaded.num_rows == opened.manifest.rows("interactions")
    assert loaded[0] == opened.to_arrow().slice(0, 1).to_pylist()[0]
    index = datasets.load_dataset(str(written.folder), "customer_index", cache_dir=str(written.folder / "cache"))
    assert index["train"].num_rows == opened.manifest.rows("customer_index")
    proof("datasets", "loads the default table and another by its name", written, "load_dataset(FOLDER)")


def test_iceberg_is_read_at_two_as_ofs(
    shop: Settings, exported: Callable[..., Written], proof: Any, tmp_path: Path
) -> None:
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    folder = tmp_path / "lake"
    first = exported(INTERACTIONS, "iceberg", as_of="2017-12-25", folder=folder)
    written = exported(INTERACTIONS, "iceberg", as_of="2018-01-01", folder=folder)
    exported(INTERACTIONS, "iceberg", as_of="2018-01-01", folder=folder)  # changes nothing
    assert first.rows != written.rows
    catalogue = sql.SqlCatalog(
        "shopmill", uri=f"sqlite:///{folder}/catalogue.db", warehouse=f"file://{folder}/warehouse"
    )
    table = catalogue.load_table(f"{INTERACTIONS}.interactions")
    for as_of in ("2017-12-25", "2018-01-01"):
        snapshot = table.snapshot_by_name(f"as_of={as_of}")
        expected = shopmill.load(INTERACTIONS, as_of).to_arrow()
        found = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
        assert found.cast(expected.schema).equals(expected)
        assert snapshot.summary.additional_properties["shopmill.version"] == shopmill.load(INTERACTIONS, as_of).version
    some = table.scan(row_filter="customer_id == '000001'", selected_fields=("spend_sum",)).to_arrow()
    assert some.num_rows == shopmill.load(INTERACTIONS).to_arrow(where="customer_id = '000001'").num_rows
    proof(
        "pyiceberg",
        "reads two as_ofs by their tags, and a part with a filter",
        written,
        "SqlCatalog in SQLite, no copy",
    )
    assert not list((folder / "warehouse").rglob("*.parquet"))


def test_gc_decides_what_iceberg_keeps(
    shop: Settings, exported: Callable[..., Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    store, folder = tmp_path / "store", tmp_path / "lake"
    for part in (INTERACTIONS, f"index/{INTERACTIONS}"):
        shutil.copytree(Path(shop.store) / part, store / part, copy_function=os.link)
    monkeypatch.setenv("SHOPMILL_STORE", str(store))
    for as_of in ("2017-12-25", "2018-01-01"):
        exported(INTERACTIONS, "iceberg", as_of=as_of, folder=folder)
    later = datetime.now(UTC) + timedelta(days=9)
    look = GarbageCollection(Store(str(store)), shop.zone, (INTERACTIONS,), staged_runs, Retention(1, 0, 0), later)
    collect(look, Locks(look.store))
    exported(INTERACTIONS, "iceberg", as_of="2018-01-01", folder=folder)
    catalogue = sql.SqlCatalog("shopmill", uri=f"sqlite:///{folder}/catalogue.db")
    table = catalogue.load_table(f"{INTERACTIONS}.interactions")
    assert [name for name in table.refs() if name.startswith("as_of=")] == ["as_of=2018-01-01"]
    assert table.scan().to_arrow().num_rows == shopmill.load(INTERACTIONS, "2018-01-01").manifest.rows("interactions")
    assert not list(store.rglob("as_of=2017-12-25/version=*/*/*.parquet"))


def test_mlflow_logs_a_version_and_finds_it_again(
    shop: Settings, exported: Callable[..., Written], proof: Any, tmp_path: Path
) -> None:
    mlflow = pytest.importorskip("mlflow")
    from mlflow.data.dataset_source_registry import get_dataset_source_from_json

    from shopmill.exports.consumers.mlflow import dataset

    written = exported("customer_features", "mlflow")
    opened = shopmill.load("customer_features")
    assert json.loads((written.folder / "source.json").read_text())["version"] == opened.version
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset(opened), context="training")
    (logged,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert logged.dataset.digest == opened.version
    assert json.loads(logged.dataset.profile)["as_of"] == "2018-01-01"
    again = get_dataset_source_from_json(logged.dataset.source, logged.dataset.source_type).load()
    assert (again.version, again.path) == (opened.version, opened.path)
    proof(
        "mlflow-skinny",
        "log_input, and the version found again from the logged run",
        written,
        "DatasetSource by entry point",
    )


@pytest.fixture
def vectors(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A store with a small version of articles_embeddings: unit vectors, seeded."""
    monkeypatch.setenv("SHOPMILL_STORE", str(tmp_path / "vectors"))
    matrix = np.random.default_rng(0).normal(size=(5_000, 384)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    publish_vectors(tmp_path / "vectors", matrix, shop.zone)
    return matrix


def test_lancedb_searches(vectors: np.ndarray, exported: Callable[..., Written], proof: Any) -> None:
    lancedb = pytest.importorskip("lancedb")
    written = exported("articles_embeddings", "lancedb")
    table = lancedb.connect(str(written.folder)).open_table("articles_embeddings")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 384)
    found = table.search(vectors[42]).limit(5).to_list()
    nearest = np.argsort(-(vectors @ vectors[42]))[:5]
    assert [row["article_id"] for row in found] == [f"{number:010d}" for number in nearest]
    proof("lancedb", "searches the 5 nearest, as exact search finds them", written, "open_table")


@pytest.mark.parametrize("index", ["Flat", "HNSW32"])
def test_faiss_searches(vectors: np.ndarray, exported: Callable[..., Written], proof: Any, index: str) -> None:
    faiss = pytest.importorskip("faiss")
    written = exported("articles_embeddings", "faiss", f"index={index}")
    opened = faiss.read_index(str(written.folder / "index.faiss"))
    keys = duckdb.read_parquet(str(written.folder / "keys.parquet")).fetchall()
    scores, found = opened.search(vectors[:100], 1)
    assert np.mean([keys[key][1] == f"{number:010d}" for number, (key,) in enumerate(found)]) > 0.98
    assert scores.max() == pytest.approx(1, abs=1e-4)
    proof("faiss-cpu", f"{index}: finds each of 100 vectors as its own nearest", written, "faiss.read_index")
