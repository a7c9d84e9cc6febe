"""Hugging Face datasets, MLflow, LanceDB and FAISS: files that others open in place of ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import shopmill
from conftest import Written
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings

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
    proof(
        "datasets", "loads the default table and another by its name", written, loaded.num_rows, "load_dataset(FOLDER)"
    )


def test_load_dataset_loads_the_folder_of_a_version_as_it_is(shop: Settings, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for dataset, table in (("timeseries", "category_weekly"), ("training_labels", "customer_labels")):
        opened = shopmill.load(dataset)
        loaded = datasets.load_dataset(opened.path, table, cache_dir=str(tmp_path / "cache"))["train"]
        assert loaded.num_rows == opened.manifest.rows(table)


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
        json.loads(logged.dataset.profile)["num_rows"],
        "DatasetSource by entry point",
    )


def test_lancedb_searches(vectors: np.ndarray, exported: Callable[..., Written], proof: Any) -> None:
    lancedb = pytest.importorskip("lancedb")
    written = exported("articles_embeddings", "lancedb")
    table = lancedb.connect(str(written.folder)).open_table("articles_embeddings")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 384)
    found = table.search(vectors[42]).limit(5).to_list()
    nearest = np.argsort(-(vectors @ vectors[42]))[:5]
    assert [row["article_id"] for row in found] == [f"{number:010d}" for number in nearest]
    proof("lancedb", "searches the 5 nearest, as exact search finds them", written, table.count_rows(), "open_table")


def test_an_index_that_faiss_cannot_make_is_refused(vectors: np.ndarray, shop: Settings, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    for index in ("IVF10000,Flat", "IDMap,Flat"):
        with pytest.raises(InvalidInputError, match=rf"cannot make index='{index}' of {len(vectors)} vectors"):
            shopmill.export("articles_embeddings", "faiss", tmp_path / "out", options={"index": index})


@pytest.mark.parametrize("index", ["Flat", "HNSW32"])
def test_faiss_searches(vectors: np.ndarray, exported: Callable[..., Written], proof: Any, index: str) -> None:
    faiss = pytest.importorskip("faiss")
    written = exported("articles_embeddings", "faiss", f"index={index}")
    opened = faiss.read_index(str(written.folder / "index.faiss"))
    keys = duckdb.read_parquet(str(written.folder / "keys.parquet")).fetchall()
    scores, found = opened.search(vectors[:100], 1)
    assert np.mean([keys[key][1] == f"{number:010d}" for number, (key,) in enumerate(found)]) > 0.98
    assert scores.max() == pytest.approx(1, abs=1e-4)
    done = f"{index}: finds each of 100 vectors as its own nearest"
    proof("faiss-cpu", done, written, opened.ntotal, "faiss.read_index")
