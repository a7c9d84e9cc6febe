"""A dataset through a real scheduler: published, registered, announced; and blocked, with the reason told."""

import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from conftest import AirflowShop, Gauges, Heard
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.local.client import RunState
from shopmill.reading import load
from shopmill.registry import Registry

pytestmark = pytest.mark.airflow

DAG = "user_item_interactions"
CHAIN = ["extract", "transform", "quality_check", "save_artifact", "register_metadata", "notify"]


@pytest.fixture(scope="module")
def shop(airflow: LocalAirflow, airflow_shop: AirflowShop) -> AirflowShop:
    """A shop of a few rows, and the DAG of interactions in the running Airflow."""
    with psycopg.connect(airflow_shop.source_dsn) as connection:
        connection.execute(
            "insert into transactions select date '2020-09-20' + (i % 3), 'c' || i % 7, '000' || i % 2 + 1, 9.99, 1 "
            "from generate_series(1, 100) as i"
        )
    with psycopg.connect(airflow_shop.registry_dsn) as connection:
        if connection.execute("select to_regclass('shopmill.news')").fetchone() != (None,):
            connection.execute("truncate shopmill.news")  # people know nothing of what tests before published
    source = Path(__file__).parents[2] / "dags" / f"{DAG}.py"
    (airflow.dags_folder / source.name).write_text(source.read_text())
    return airflow_shop


def run(airflow: LocalAirflow, as_of: str, **parameters: object) -> RunState:
    run_id = airflow.client.trigger(DAG, {"as_of": as_of, **parameters}, timeout=90)
    *_, [last] = airflow.client.wait([(DAG, run_id)], timeout=240)
    return last


def test_published_registered_and_announced(
    airflow: LocalAirflow, shop: AirflowShop, slack: Heard, mailbox: Heard
) -> None:
    last = run(airflow, "2020-09-23")
    assert last.state == "success", [airflow.client.log_errors(last, task) for task in last.failed_tasks]
    assert [(task.task_id, task.state) for task in last.tasks] == [(name, "success") for name in CHAIN]

    published = load(DAG, "2020-09-23", store=str(shop.store))
    assert sum(published.to_arrow()["purchase_count"].to_pylist()) == 100

    [row] = Registry(shop.registry_dsn).runs(DAG)
    assert (row["status"], row["version"], row["as_of"]) == ("published", published.version, "2020-09-23")
    assert (row["dag_id"], row["dag_run_id"], row["try_number"]) == (DAG, last.run_id, 1)
    assert all(check["passed"] for check in row["checks"] if check["severity"] == "error")

    assert published.version in slack.messages[0]["text"]
    body = mailbox.messages[0].get_body(("plain",))
    assert body is not None
    assert published.version in body.get_content()

    events = airflow.client.get("/api/v2/assets/events", {"source_dag_id": DAG})["asset_events"]
    [event] = [event for event in events if event["source_run_id"] == last.run_id]
    assert event["extra"]["version"] == published.version
    assert event["extra"]["rows"] == published.manifest.rows("interactions")

    path = f"/api/v2/dags/{DAG}/dagRuns/{last.run_id}/taskInstances/transform"
    rendered = airflow.client.get(path)["rendered_fields"]
    assert rendered["as_of"] == "2020-09-23"
    assert "-- interactions" in rendered["sql"]
    assert "group by customer_id, article_id" in rendered["sql"]


def test_its_figures_went_out_as_metrics(airflow: LocalAirflow, shop: AirflowShop, gauges: Gauges) -> None:
    def told(name: str, **labels: str) -> float:
        tags = "".join(f",{label}={value}" for label, value in labels.items())
        return gauges.values[f"airflow.shopmill.{name},dataset={DAG}{tags}"]

    manifest = load(DAG, "2020-09-23", store=str(shop.store)).manifest
    assert told("as_of_timestamp_seconds") == datetime(2020, 9, 23, tzinfo=UTC).timestamp()
    assert told("promised_age_seconds") == 29 * 3600
    assert told("rows", table="interactions") == manifest.rows("interactions")
    assert told("bytes") == manifest.summary.bytes
    assert told("input_rows", table="transactions") == told("source_rows_read", table="transactions") == 100
    assert told("rejected_rows") == 0
    assert told("checks", result="passed") > 10
    assert told("checks", result="failed") == 0
    assert 0 < told("step_duration_seconds", step="transform") < told("run_duration_seconds")
    assert told("failures_in_a_row") == 0


def test_a_second_run_changes_nothing(airflow: LocalAirflow, shop: AirflowShop) -> None:
    before = load(DAG, "2020-09-23", store=str(shop.store)).version
    assert run(airflow, "2020-09-23").state == "success"
    newest, *_ = Registry(shop.registry_dsn).runs(DAG)
    assert (newest["status"], newest["version"]) == ("unchanged", before)


def test_a_blocked_run_is_told_once_and_not_tried_again(
    airflow: LocalAirflow, shop: AirflowShop, slack: Heard, mailbox: Heard, gauges: Gauges
) -> None:
    with psycopg.connect(shop.source_dsn) as connection:
        connection.execute(
            "insert into transactions select date '2020-09-23', 'c1', '0001', -1, 1 from generate_series(1, 50)"
        )
    last = run(airflow, "2020-09-24")
    [failed] = last.failed_tasks
    assert (last.state, failed.task_id, failed.try_number) == ("failed", "quality_check", 1)

    deadline = time.monotonic() + 60
    while not (slack.messages and mailbox.messages) and time.monotonic() < deadline:
        time.sleep(0.2)
    [message] = slack.messages
    for words in (
        DAG,
        "2020-09-24",
        "quality_check",
        "of transactions were rejected",
        f"shopmill run {DAG} --as-of 2020-09-24",
    ):
        assert words in message["text"], message["text"]
    assert len(mailbox.messages) == 1

    told = {name: value for name, value in gauges.values.items() if f"dataset={DAG}" in name}
    assert told[f"airflow.shopmill.failures_in_a_row,dataset={DAG}"] == 1, "from the dag-processor, which calls back"
    assert told[f"airflow.shopmill.checks,dataset={DAG},result=failed"] == 1
    assert told[f"airflow.shopmill.rejected_rows,dataset={DAG}"] == 50

    newest, *_ = Registry(shop.registry_dsn).runs(DAG)
    assert newest["status"] == "blocked"
    assert load(DAG, store=str(shop.store)).as_of == "2020-09-23"
