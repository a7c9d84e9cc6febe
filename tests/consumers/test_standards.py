"""Croissant and ODCS, by their own validators, on the folder of a published version as it is."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shopmill
from conftest import run_measured, with_version
from shopmill.settings import Settings
from shopmill.versions.load import Version

DATACONTRACT = Path(__file__).parents[2] / ".venv-datacontract" / "bin" / "datacontract"
DATASETS = ["customer_features", "timeseries", "user_item_interactions", "training_labels", "articles_content"]


def assert_croissant_is_valid(opened: Version) -> None:
    croissant = pytest.importorskip("mlcroissant")
    described = croissant.Dataset(jsonld=f"{opened.path}/croissant.json")
    assert not described.metadata.issues.errors
    for table in (name for name in opened.tables if opened.manifest.rows(name)):
        (first,) = islice(described.records(record_set=table), 1)
        columns = {name.removeprefix(f"{table}/") for name in first}
        assert columns == set(opened.to_arrow(table, where="false").column_names), table


def hold_contract(opened: Version, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs its rules on the files; gives the megabytes that it took."""
    if not DATACONTRACT.exists():
        pytest.skip("needs .venv-datacontract: make test-consumers")
    monkeypatch.setenv("COLUMNS", "300")
    return run_measured([str(DATACONTRACT), "test", "contract.odcs.yaml"], folder, opened.path)[1]


@pytest.mark.parametrize("dataset", DATASETS)
def test_mlcroissant_validates_and_reads(shop: Settings, dataset: str) -> None:
    assert_croissant_is_valid(shopmill.load(dataset))


def test_mlcroissant_reads_every_row_of_a_table_of_many_files(shop: Settings, proof: Any) -> None:
    croissant = pytest.importorskip("mlcroissant")
    opened, table = shopmill.load("timeseries"), "category_weekly"
    assert len(opened.manifest.files(table)) > 1
    described = croissant.Dataset(jsonld=f"{opened.path}/croissant.json")
    rows = sum(1 for _ in described.records(record_set=table))
    assert rows == opened.manifest.rows(table)
    done = "validates, reads every row of a table of many files"
    proof("mlcroissant", done, with_version(opened), rows, "Dataset(jsonld=.../croissant.json)")


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_contract_holds(
    shop: Settings, proof: Any, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = shopmill.load(dataset)
    megabytes = hold_contract(opened, tmp_path, monkeypatch)
    if dataset != "customer_features":
        return
    asked = "from importlib.metadata import version; print(version('datacontract-cli'))"
    number = run_measured([str(DATACONTRACT.with_name("python")), "-c", asked], tmp_path)[0]
    done, loaded = "keys, nulls, values and rows are as promised", "datacontract test contract.odcs.yaml"
    rows = opened.manifest.rows("features")
    proof(f"datacontract-cli {number}", done, with_version(opened), rows, loaded, megabytes)


def test_both_describe_vectors(vectors: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = shopmill.load("articles_embeddings")
    assert_croissant_is_valid(opened)
    hold_contract(opened, tmp_path, monkeypatch)
