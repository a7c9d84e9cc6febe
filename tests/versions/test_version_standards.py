"""What stands beside a manifest in other words: it names every table, column and file, and is no part of the version."""

import json
from dataclasses import replace

import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.reading import load
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.load import Version
from shopmill.versions.standards.contract import contract
from shopmill.versions.standards.croissant import croissant
from shopmill.versions.store import to_json

DATASET = "training_labels"


@pytest.fixture
def version(settings: Settings, shop_dsn: str) -> Version:
    line = {"t_dat": "2020-09-21", "customer_id": "c1", "article_id": "0001", "price": 1}
    fill_shop(shop_dsn, {"transactions": [line]})
    steps.run_all(Run.create(datasets.load(DATASET), "2020-09-22", settings, LENIENT))
    return load(DATASET, store=settings.store)


def document(version: Version, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(version._store.read(f"{version._versions.folder(version.manifest)}/{name}"))
    return found


def test_croissant_names_every_file_with_its_hash(version: Version) -> None:
    found = document(version, "croissant.json")
    files = {one["@id"]: one["sha256"] for one in found["distribution"] if one["@type"] == "cr:FileObject"}
    assert files == {file.path: file.sha256 for file in version.manifest.all_files}
    assert found["version"] == f"1.0.0+{version.version}"
    fields = {one["@id"]: [field["name"] for field in one["field"]] for one in found["recordSet"]}
    assert fields["customer_labels"] == ["label", "origin", "horizon_days", "customer_id", "value"]


def test_croissant_reads_several_files_as_one_set(version: Version) -> None:
    """A set is of the version's own folder, and what readers know it by has no blank: mlcroissant refuses others."""
    table = version.manifest.content["tables"]["article_labels"]
    parted = {**table, "files": [{**table["files"][0], "path": f"article_labels/{day}.parquet"} for day in "12"]}
    content = {**version.manifest.content, "tables": {**version.manifest.content["tables"], "article_labels": parted}}
    found = json.loads(to_json(croissant(replace(version.manifest, content=content))))
    [of_files] = [one for one in found["distribution"] if one["@type"] == "cr:FileSet"]
    assert (of_files["includes"], "containedIn" in of_files) == ("article_labels/*.parquet", False)
    known = {one["@id"] for one in found["distribution"]}
    assert not any(" " in name for name in known)
    records = next(one for one in found["recordSet"] if one["name"] == "article_labels")
    assert {field["source"]["fileSet"]["@id"] for field in records["field"]} == {of_files["@id"]} <= known


def test_the_contract_has_keys_and_rules(version: Version) -> None:
    found = document(version, "contract.odcs.yaml")
    assert (found["apiVersion"], found["kind"]) == ("v3.1.0", "DataContract")
    table = next(one for one in found["schema"] if one["name"] == "article_labels")
    keys = {one["name"]: one.get("primaryKeyPosition") for one in table["properties"]}
    assert keys == {"label": 1, "origin": None, "horizon_days": None, "article_id": 2, "value": None}
    assert {rule["metric"]: rule["mustBe"] for rule in table["quality"]} == {"rowCount": 3, "duplicateValues": 0}
    assert table["properties"][0]["quality"][0]["arguments"] == {
        "validValues": ["article_units_7d", "article_units_28d", "item_sales_7d"]
    }


def test_the_contract_of_a_vector_says_what_it_is_made_of(version: Version) -> None:
    """datacontract-cli makes the type of a list out of these two words, and knows neither `float[]` nor a list of no type."""
    table = version.manifest.content["tables"]["article_labels"]
    vector = {**table["columns"][-1], "name": "embedding", "type": "float[]"}
    content = {**version.manifest.content, "tables": {"article_labels": {**table, "columns": [vector]}}}
    found = json.loads(to_json(contract(replace(version.manifest, content=content))))
    [column] = found["schema"][0]["properties"]
    assert (column["logicalType"], column["physicalType"]) == ("array", "array")
    assert column["items"] == {"logicalType": "number", "physicalType": "float"}


def test_the_contract_says_how_old_the_current_version_may_become(version: Version) -> None:
    [level] = document(version, "contract.odcs.yaml")["slaProperties"]  # type: ignore[misc]
    promised = datasets.load(DATASET).promise.age
    assert (level["property"], level["value"], level["unit"]) == ("latency", promised.total_seconds() / 60, "min")


def test_a_version_from_before_promises_were_noted_has_none(version: Version) -> None:
    older = replace(version.manifest, beside={})
    assert older.version == version.version
    assert "slaProperties" not in contract(older)


def test_the_card_names_the_tables_that_have_rows(version: Version) -> None:
    card = version._store.read(f"{version._versions.folder(version.manifest)}/README.md").decode()
    assert "- config_name: article_labels\n" in card
    assert "- config_name: rejects\n" not in card  # it has no rows, and load_dataset would fail on it
    assert f"Version `{version.version}`" in card


def test_they_are_no_part_of_the_version(version: Version) -> None:
    assert not any("croissant" in file.path for file in version.manifest.all_files)
