"""A backfill by Airflow's own command, several as_ofs at once: the versions that the same as_ofs give one by one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from shopmill import datasets
from shopmill.airflow.local import LocalAirflow
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(2400)]

FIRST = date(2019, 1, 3)
DAYS = int(os.environ.get("SHOPMILL_TEST_BACKFILL_DAYS", "2"))  # a month, by hand: docs/backfill.md
AT_ONCE = 3
ROWS = """
    insert into articles (article_id, prod_name, price) select 'a' || i, 'article ' || i, i from generate_series(1, 20) as i;
    insert into transactions
    select date '2019-01-01' + (i % 40), 'c' || (i * 7) % 50, 'a' || (i * 3) % 20 + 1, 9.99, 1 from generate_series(1, 2000) as i;
"""
DAGS = Path(__file__).parents[2] / "dags"


@dataclass(frozen=True)
class Shop:
    """A shop of its own, with the settings of a backfill's DAGs and those of the runs it is compared with."""

    backfilled: Settings
    one_by_one: Settings

    @property
    def variables(self) -> dict[str, str]:
        settings = self.backfilled
        return {
            "SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value(),
            "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
            "SHOPMILL_STORE": settings.store,
            "SHOPMILL_SCHEDULES": "true",
        }


@pytest.fixture(scope="module")
def shop(database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    source = database()
    with psycopg.connect(source) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
        connection.execute(ROWS.encode())
    stores = tmp_path_factory.mktemp("stores")

    def settings(name: str) -> Settings:
        return Settings(
            _env_file=None, store=str(stores / name), source_dsn=SecretStr(source), registry_dsn=SecretStr(database())
        )

    return Shop(settings("backfilled"), settings("one-by-one"))


@pytest.fixture(scope="module", params=["articles_content", "user_item_interactions"])
def dag(request: pytest.FixtureRequest, airflow: LocalAirflow, shop: Shop) -> Iterator[str]:
    """A DAG with its schedule, on the shop of this module; given back idle, or other tests would wait for its runs."""
    name: str = request.param
    text = (DAGS / f"{name}.py").read_text()
    path = airflow.dags_folder / f"{name}.py"
    path.write_text(_with(shop.variables, text))
    airflow.client.wait_for_dag(name, timeout=120)
    _wait_for_schedule(airflow, name, True)
    yield name
    path.write_text(_with({**shop.variables, "SHOPMILL_SCHEDULES": "false"}, text))
    _wait_for_schedule(airflow, name, False)
    unfinished = [run["dag_run_id"] for run in _runs(airflow, name) if run["state"] in {"queued", "running"}]
    for _ in airflow.client.wait([(name, run_id) for run_id in unfinished], timeout=240):
        continue
    path.write_text(text)


def _with(variables: dict[str, str], text: str) -> str:
    return f"import os\nos.environ |= {json.dumps(variables)}\n{text}"


def _wait_for_schedule(airflow: LocalAirflow, dag: str, has_one: bool) -> None:
    deadline = time.monotonic() + 600
    while airflow.client.get(f"/api/v2/dags/{dag}")["timetable_summary"].endswith(" (off)") == has_one:
        assert time.monotonic() < deadline, f"the DAG is not read {'with' if has_one else 'without'} a schedule"
        time.sleep(0.5)


def _runs(airflow: LocalAirflow, dag: str, **query: str) -> list[dict[str, Any]]:
    found = airflow.client.get(f"/api/v2/dags/{dag}/dagRuns", {"limit": 100, "order_by": "-run_after", **query})
    runs: list[dict[str, Any]] = found["dag_runs"]
    return runs


def backfill(airflow: LocalAirflow, dag: str) -> None:
    last = FIRST + timedelta(days=DAYS - 1)
    command = [sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", dag]
    command += ["--from-date", str(FIRST), "--to-date", f"{last}T23:59:00", "--max-active-runs", str(AT_ONCE)]
    done = subprocess.run(command, env=airflow.environment(), capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]


def runs_of(airflow: LocalAirflow, dag: str) -> list[dict[str, Any]]:
    return [run for run in _runs(airflow, dag, run_type="backfill") if run["run_type"] == "backfill"]


def versions(settings: Settings, dataset: str) -> dict[str, str]:
    found = Versions(Store(settings.store), dataset, settings.zone).all()
    return {manifest.as_of: manifest.version for manifest in found}


def test_several_at_once_give_what_one_by_one_gives(airflow: LocalAirflow, shop: Shop, dag: str) -> None:
    backfill(airflow, dag)
    started = runs_of(airflow, dag)
    assert len(started) == DAYS
    *_, last = airflow.client.wait([(dag, run["dag_run_id"]) for run in started], timeout=300 + 60 * DAYS)
    errors = [airflow.client.log_errors(run, task) for run in last for task in run.failed_tasks]
    assert {run.state for run in last} == {"success"}, errors

    as_ofs = [str(FIRST + timedelta(days=day)) for day in range(DAYS)]
    for as_of in as_ofs:
        steps.run_all(Run.create(datasets.load(dag), as_of, shop.one_by_one))
    published = {as_of: version for as_of, version in versions(shop.backfilled, dag).items() if as_of in as_ofs}
    assert published == versions(shop.one_by_one, dag)
    assert list(published) == as_ofs

    rows = Registry(shop.backfilled.registry_dsn.get_secret_value()).runs(dag, limit=100)
    rows = [row for row in rows if row["as_of"] in as_ofs]  # Airflow may run today's as well
    assert {row["status"] for row in rows} == {"published"}
    begun = sorted((row["started_at"], row["finished_at"]) for row in rows)
    assert any(later[0] < earlier[1] for earlier, later in pairwise(begun)), "none at once"


def test_nothing_is_caught_up(airflow: LocalAirflow, dag: str) -> None:
    found = airflow.client.get(f"/api/v2/dags/{dag}/dagRuns", {"run_type": "scheduled"})["dag_runs"]
    started = [run["run_after"][:10] for run in found if run["run_type"] == "scheduled"]
    newest = str(datetime.now(UTC).date() - timedelta(days=1))
    assert [day for day in started if day < newest] == [], "only the newest tick of the clock may have run"
