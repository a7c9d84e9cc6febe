"""What a run through a real scheduler tells OpenLineage, by the provider's file transport."""

import json
import os
import time
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import attr
import openlineage.client.facet_v2 as facets_of_openlineage
import psycopg
import pytest
from openlineage.client.facet_v2 import BaseFacet
from openlineage_schemas import VARIABLE, Schemas

from conftest import AirflowShop
from shopmill import datasets
from shopmill.airflow.local import LocalAirflow
from shopmill.reading import load

pytestmark = pytest.mark.airflow

DAG, AS_OF = "user_item_interactions", "2021-03-04"
CHAIN = ["extract", "transform", "quality_check", "save_artifact", "register_metadata", "notify"]
AIRFLOWS_OWN = {"airflow", "airflowDagRun", "airflowState", "unknownSourceAttribute"}
"""Facets that OpenLineage has no schema of: they name its base of all facets, and nothing more is validated of them."""
Event = dict[str, Any]


def _fill(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "insert into transactions select date '2021-03-01' + (i % 3), 'l' || i % 7, '007' || i % 2, 5, 1 "
            "from generate_series(1, 100) as i"
        )


@pytest.fixture(scope="module")
def events(airflow: LocalAirflow, airflow_shop: AirflowShop) -> list[Event]:
    """The events of one run, its tasks' and its own."""
    _fill(airflow_shop.source_dsn)
    source = Path(__file__).parents[2] / "dags" / f"{DAG}.py"
    (airflow.dags_folder / source.name).write_text(source.read_text())
    run_id = airflow.client.trigger(DAG, {"as_of": AS_OF, "max_reject_share": 1}, timeout=90)
    *_, [last] = airflow.client.wait([(DAG, run_id)], timeout=240)
    assert last.state == "success", [airflow.client.log_errors(last, task) for task in last.failed_tasks]
    return _events_of(airflow_shop, run_id)


def _events_of(shop: AirflowShop, run_id: str) -> list[Event]:
    """The events of a run, when its last one has come."""
    found: list[Event] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = shop.events.read_text().splitlines() if shop.events.exists() else []
        found = [event for event in map(json.loads, lines) if run_id in json.dumps(event["run"]["facets"])]
        if any(event["job"]["name"] == DAG and event["eventType"] == "COMPLETE" for event in found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"no last event: {[(event['job']['name'], event['eventType']) for event in found]}")


def _completed(events: list[Event], task: str) -> Event:
    [found] = [e for e in events if e["job"]["name"] == f"{DAG}.{task}" and e["eventType"] == "COMPLETE"]
    return found


def _published(events: list[Event], table: str) -> Event:
    outputs: list[Event] = _completed(events, "save_artifact")["outputs"]
    [found] = [output for output in outputs if output["name"].endswith(f"/{DAG}/{table}")]
    return found


def _shop_place(shop: AirflowShop) -> tuple[str, str]:
    parts = psycopg.conninfo.conninfo_to_dict(shop.source_dsn)
    return f"postgres://{parts['host']}:{parts['port']}", f"{parts['dbname']}.public"


def test_every_task_starts_and_completes(events: list[Event]) -> None:
    told = {(event["job"]["name"], event["eventType"]) for event in events}
    for job in (DAG, *(f"{DAG}.{task}" for task in CHAIN)):
        assert {(job, "START"), (job, "COMPLETE")} <= told


def test_extract_reads_the_tables_of_the_shop(events: list[Event], airflow_shop: AirflowShop) -> None:
    namespace, schema = _shop_place(airflow_shop)
    inputs = {(found["namespace"], found["name"]): found for found in _completed(events, "extract")["inputs"]}
    names = ("transactions", "events", "orders", "order_items", "articles", "exchange_rates")
    assert set(inputs) == {(namespace, f"{schema}.{table}") for table in names}
    rows = inputs[namespace, f"{schema}.transactions"]["inputFacets"]["inputStatistics"]["rowCount"]
    assert rows == load(DAG, AS_OF, store=str(airflow_shop.store)).manifest.content["inputs"]["transactions"]["rows"]


def test_transform_tells_its_sql(events: list[Event]) -> None:
    sql = _completed(events, "transform")["job"]["facets"]["sql"]
    assert "count(*) filter (where signal = 'purchase') as purchase_count" in sql["query"]
    assert sql["dialect"] == "duckdb"


def test_columns_lead_back_to_the_shop(events: list[Event], airflow_shop: AirflowShop) -> None:
    namespace, schema = _shop_place(airflow_shop)
    lineage = _published(events, "interactions")["facets"]["columnLineage"]
    spent = {(f["namespace"], f["name"], f["field"]): f for f in lineage["fields"]["spend_sum"]["inputFields"]}
    price, quantity = ((namespace, f"{schema}.transactions", field) for field in ("price", "quantity"))
    assert {price, quantity} <= set(spent)
    assert [(t["type"], t["subtype"]) for t in spent[price]["transformations"]] == [("DIRECT", "AGGREGATION")]
    assert lineage["fields"]["time_weighted_score"]["transformationDescription"] == (
        "made of a constant, lookup signal_weights"
    )
    decides = {(f["name"], f["field"], t["subtype"]) for f in lineage["dataset"] for t in f["transformations"]}
    assert (f"{schema}.order_items", "quantity", "FILTER") in decides


def test_a_version_is_described(events: list[Event], airflow_shop: AirflowShop) -> None:
    manifest = load(DAG, AS_OF, store=str(airflow_shop.store)).manifest
    output = _published(events, "interactions")
    facets, [file] = output["facets"], manifest.files("interactions")
    assert (output["namespace"], output["name"]) == ("file", str(airflow_shop.store / DAG / "interactions"))
    assert facets["version"]["datasetVersion"] == manifest.version
    declared = datasets.load(DAG).table("interactions").columns
    assert [(f["name"], f["type"]) for f in facets["schema"]["fields"]] == [(c.name, c.type) for c in declared]
    written = output["outputFacets"]["outputStatistics"]
    assert (written["rowCount"], written["size"], written["fileCount"]) == (file.rows, file.bytes, 1)
    assert facets["dataQualityMetrics"]["columnMetrics"]["customer_id"]["nullCount"] == 0
    assert {o["name"].rsplit("/", 1)[1] for o in _completed(events, "save_artifact")["outputs"]} == {*manifest.tables}


def test_checks_are_told_of_the_tables_they_are_of(events: list[Event]) -> None:
    checked = {found["name"].rsplit("/", 1)[1]: found for found in _completed(events, "quality_check")["inputs"]}
    told = {a["name"]: a for a in checked["interactions"]["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert (told["customer_id not null"]["assertion"], told["customer_id not null"]["column"]) == (
        "not_null",
        "customer_id",
    )
    assert told["key unique"]["assertion"] == "unique"
    assert told["transactions fresh"]["severity"] == "error"
    assert all(assertion["success"] for assertion in told.values() if assertion["severity"] == "error")


def test_events_have_the_form_that_openlineage_prescribes(events: list[Event]) -> None:
    known = 0
    for event in events:
        assert {"eventTime", "eventType", "run", "job", "producer", "schemaURL"} <= event.keys()
        known += sum(_assert_valid(facet) for _, facet in _facets(event))
    assert known > 50


def _facets(event: Event) -> Iterator[tuple[str, Event]]:
    datasets = [*event["inputs"], *event["outputs"]]
    of_datasets = [found.get(kind, {}) for found in datasets for kind in ("facets", "inputFacets", "outputFacets")]
    for group in (event["run"]["facets"], event["job"]["facets"], *of_datasets):
        yield from group.items()


def _assert_valid(facet: Event) -> bool:
    """Whether a facet is one of OpenLineage's own; these must have the fields of the schema they name, and no others."""
    assert {"_producer", "_schemaURL"} <= facet.keys()
    declared = _facet_classes().get(facet["_schemaURL"])
    if declared is None or "/OpenLineage.json#" in facet["_schemaURL"]:
        return False  # Airflow's own
    fields = {field.name: field for field in attr.fields(declared)}
    required = {name for name, field in fields.items() if field.default is attr.NOTHING}
    assert required <= facet.keys() <= fields.keys() | {"_deleted"}, facet
    return True


@cache
def _facet_classes() -> dict[str, Any]:
    modules = [found for found in vars(facets_of_openlineage).values() if isinstance(found, ModuleType)]
    classes = [found for module in modules for found in vars(module).values() if isinstance(found, type)]
    return {found._get_schema(): found for found in classes if issubclass(found, BaseFacet)}


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    """The public schemas, where somebody has fetched them: they are in no package."""
    if folder := os.environ.get(VARIABLE):
        return Schemas(Path(folder))
    release = version("openlineage-python")
    pytest.skip(
        f"{VARIABLE} is not set: git clone --depth 1 --branch {release} https://github.com/OpenLineage/OpenLineage, "
        f"then {VARIABLE}=OpenLineage/spec"
    )


def test_events_are_valid_by_the_public_schemas(schemas: Schemas, events: list[Event]) -> None:
    """Each event by the definition it names, and each of its facets by the one that this facet names."""
    facets = [named for event in events for named in _facets(event)]
    assert [found for event in events for found in schemas.errors(event, event["schemaURL"])] == []
    assert [(name, found) for name, facet in facets for found in schemas.errors(facet, facet["_schemaURL"])] == []
    by_their_base = {name for name, facet in facets if "/OpenLineage.json#" in facet["_schemaURL"]}
    assert by_their_base <= AIRFLOWS_OWN


def test_the_public_schemas_find_what_is_wrong(schemas: Schemas, events: list[Event]) -> None:
    event = deepcopy(_completed(events, "save_artifact"))
    del event["producer"], event["outputs"][0]["name"]
    event["eventTime"] = "yesterday"
    assert {found.partition(":")[0] for found in schemas.errors(event, event["schemaURL"])} == {
        "$",
        "$.eventTime",
        "$.outputs[0]",
    }
    lineage = deepcopy(_published(events, "interactions")["facets"]["columnLineage"])
    del lineage["fields"]["spend_sum"]["inputFields"][0]["field"]
    [found] = schemas.errors(lineage, lineage["_schemaURL"])
    assert found == "$.fields.spend_sum.inputFields[0]: 'field' is a required property"


def test_no_secret_is_told(events: list[Event], airflow_shop: AirflowShop) -> None:
    password = str(psycopg.conninfo.conninfo_to_dict(airflow_shop.source_dsn)["password"])
    assert password not in json.dumps(events)
