"""Croissant and ODCS, by their own validators, on the folder of a published version as it is."""

import os
import subprocess
from itertools import islice
from pathlib import Path

import pytest

import shopmill
from shopmill.settings import Settings

DATACONTRACT = Path(__file__).parents[2] / ".venv-datacontract" / "bin" / "datacontract"
DATASETS = ["customer_features", "timeseries", "user_item_interactions", "training_labels", "articles_content"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_mlcroissant_validates_and_reads(shop: Settings, dataset: str) -> None:
    croissant = pytest.importorskip("mlcroissant")
    opened = shopmill.load(dataset)
    described = croissant.Dataset(jsonld=f"{opened.path}/croissant.json")
    assert not described.metadata.issues.errors
    for table in (name for name in opened.tables if opened.manifest.rows(name)):
        (first,) = islice(described.records(record_set=table), 1)
        columns = {name.removeprefix(f"{table}/") for name in first}
        assert columns == set(opened.to_arrow(table, where="false").column_names), table


def test_mlcroissant_reads_every_row_of_a_table_of_many_files(shop: Settings) -> None:
    croissant = pytest.importorskip("mlcroissant")
    opened, table = shopmill.load("timeseries"), "category_weekly"
    assert len(opened.manifest.files(table)) > 1
    described = croissant.Dataset(jsonld=f"{opened.path}/croissant.json")
    assert sum(1 for _ in described.records(record_set=table)) == opened.manifest.rows(table)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_contract_holds(shop: Settings, dataset: str) -> None:
    if not DATACONTRACT.exists():
        pytest.skip("needs .venv-datacontract: make test-consumers")
    command = [str(DATACONTRACT), "test", "contract.odcs.yaml"]
    environment = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(
        command,
        cwd=shopmill.load(dataset).path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:]
