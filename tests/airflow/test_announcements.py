"""A catalogue wakes its embeddings by changed texts, and by nothing else; what is there already is not made again."""

import runpy
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import AirflowShop
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.local.client import RunState
from shopmill.reading import load

pytestmark = pytest.mark.airflow

SOURCE, WOKEN = "articles_content", "articles_embeddings"
DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="module")
def shop(airflow: LocalAirflow, airflow_shop: AirflowShop) -> AirflowShop:
    for name in (SOURCE, WOKEN):
        (airflow.dags_folder / f"{name}.py").write_text((DAGS / f"{name}.py").read_text())
    airflow.client.wait_for_dag(WOKEN, timeout=120)
    airflow.client._call("PATCH", f"/api/v2/dags/{WOKEN}", json={"is_paused": False})
    return airflow_shop


def run(airflow: LocalAirflow, dag: str, as_of: str) -> RunState:
    run_id = airflow.client.trigger(dag, {"as_of": as_of}, timeout=90)
    *_, [last] = airflow.client.wait([(dag, run_id)], timeout=240)
    assert last.state == "success", [airflow.client.log_errors(last, task) for task in last.failed_tasks]
    return last


def woken(airflow: LocalAirflow) -> list[dict[str, Any]]:
    runs = airflow.client.get(f"/api/v2/dags/{WOKEN}/dagRuns", {"order_by": "run_after"})["dag_runs"]
    return [found for found in runs if found["run_type"] == "asset_triggered"]


def change(shop: AirflowShop, statement: str) -> None:
    with psycopg.connect(shop.source_dsn) as connection:
        connection.execute(statement.encode())


def test_texts_wake_the_embeddings_and_prices_do_not(airflow: LocalAirflow, shop: AirflowShop) -> None:
    run(airflow, SOURCE, "2020-09-21")
    deadline = time.monotonic() + 60
    while not woken(airflow) and time.monotonic() < deadline:
        time.sleep(0.5)
    [first] = woken(airflow)
    *_, [last] = airflow.client.wait([(WOKEN, first["dag_run_id"])], timeout=240)
    assert last.state == "success", [airflow.client.log_errors(last, task) for task in last.failed_tasks]
    published = load(WOKEN, "2020-09-21", store=str(shop.store))
    assert published.manifest.rows("bert") >= 2, "its as_of is the event's"

    change(shop, "update articles set price = 5 where article_id = '0001'")
    run(airflow, SOURCE, "2020-09-22")
    skipped = run(airflow, WOKEN, "2020-09-21")
    states = {task.task_id: task.state for task in skipped.tasks}
    assert states.pop("load_artifact") == "success"
    assert set(states.values()) == {"skipped"}, states
    assert [found["dag_run_id"] for found in woken(airflow)] == [first["dag_run_id"]]


def test_scheduled_runs_that_announce_have_no_partition_key() -> None:
    # Airflow keeps the events of a run with a partition key from DAGs without partitions, such as the one that waits.
    from airflow.sdk import CronTriggerTimetable

    dag = runpy.run_path(str(DAGS / f"{SOURCE}.py"))["dag"]
    assert isinstance(dag.timetable, CronTriggerTimetable)
