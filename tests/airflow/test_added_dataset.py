"""A dataset that was made with `shopmill new`, and changed as the page says, through a real scheduler."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from checkout import NAME, Checkout

from ports import free_port
from shopmill.airflow.local import LocalAirflow

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    copied = Checkout.copy(tmp_path_factory.mktemp("checkout"))
    assert copied.shopmill("new", NAME).returncode == 0
    copied.change()
    return copied


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def its_airflow(checkout: Checkout, store: Path, database: Callable[[], str]) -> Iterator[LocalAirflow]:
    """An Airflow of its own: its processes import the package of the copy."""
    source = database()
    with psycopg.connect(source) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
        connection.execute("insert into articles (article_id) values ('0001'), ('0002')")
        connection.execute(
            "insert into transactions select date '2020-09-20' + (i % 3), 'c' || i % 7, '000' || i % 2 + 1, 9.99, 1 "
            "from generate_series(1, 100) as i"
        )
    environment = {
        "PYTHONPATH": str(checkout.root / "src"),
        "SHOPMILL_SOURCE_DSN": source,
        "SHOPMILL_REGISTRY_DSN": database(),
        "SHOPMILL_STORE": str(store),
        "SHOPMILL_SCHEDULES": "false",
    }
    dags = checkout.root / "its_dags"
    dags.mkdir()
    (dags / f"{NAME}.py").write_text((checkout.root / "dags" / f"{NAME}.py").read_text())
    with LocalAirflow(checkout.root / "airflow", dags, database(), free_port(), environment) as running:
        yield running


def test_it_is_published(its_airflow: LocalAirflow, checkout: Checkout, store: Path) -> None:
    run_id = its_airflow.client.trigger(NAME, {"as_of": "2020-09-23"}, timeout=120)
    *_, [last] = its_airflow.client.wait([(NAME, run_id)], timeout=300)
    assert last.state == "success", [its_airflow.client.log_errors(last, task) for task in last.failed_tasks]
    shown = checkout.shopmill("--store", str(store), "show", NAME, "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["as_of"] == "2020-09-23"
