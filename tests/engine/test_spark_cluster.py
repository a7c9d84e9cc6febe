"""A dataset end to end on a real standalone cluster: a master and two workers, as deploy/spark starts them."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden import fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

pytestmark = pytest.mark.spark
DEPLOY = Path(__file__).parents[2] / "deploy" / "spark"
RUN = """
import sys
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import load_settings
print(steps.run_all(Run.create(datasets.load("user_item_interactions"), "2020-09-23", load_settings())).status)
"""
SHOP = {
    "transactions": [
        {
            "t_dat": f"2020-09-{day:02}",
            "customer_id": f"c{n % 7}",
            "article_id": f"a{n % 11}",
            "price": f"{n}.5",
            "sales_channel_id": 1,
        }
        for day in range(1, 23)
        for n in range(20)
    ],
    "articles": [{"article_id": f"a{n}"} for n in range(11)],
}


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The addresses of a running master: `spark` for runs, `json` for what it knows."""
    ports = {"SPARK_MASTER_PORT": free_port(), "SPARK_MASTER_WEBUI_PORT": free_port()}
    folder = str(tmp_path / "cluster")
    environment = {**os.environ, **ports, "PYTHON": sys.executable, "COLUMNS": "80"}  # as a narrow terminal has it
    started = subprocess.run(
        [DEPLOY / "start.sh", folder], env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        yield {"spark": started.stdout.strip(), "json": f"http://127.0.0.1:{ports['SPARK_MASTER_WEBUI_PORT']}/json/"}
    finally:
        subprocess.run([DEPLOY / "stop.sh", folder], env=environment, check=True)
    assert not list(Path(folder).glob("*.pid"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ports["SPARK_MASTER_PORT"])))


def of_the_settings(settings: Settings, **others: str) -> dict[str, str]:
    """The environment in which another process has these settings."""
    given = {
        "SHOPMILL_STORE": settings.store,
        "SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value(),
        "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
    }
    return {**os.environ, **given, **others}


def tasks_by_executor(events: Path) -> dict[str, int]:
    """How many tasks each executor finished, from Spark's event log."""
    counts: dict[str, int] = {}
    for path in events.rglob("*"):
        for line in path.read_text().splitlines() if path.is_file() and not path.name.startswith(".") else []:
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd":
                executor = event["Task Info"]["Executor ID"]
                counts[executor] = counts.get(executor, 0) + 1
    return counts


def interactions(run: Run) -> list[tuple[Any, ...]]:
    manifest = run.versions.need(run.as_of)
    (file,) = run.store.fetch(run.versions.keys_of(manifest, "interactions"), Path(run.settings.store))
    return duckdb.connect().execute(f"select * from read_parquet('{file}', hive_partitioning = false)").fetchall()


@pytest.mark.timeout(600)  # five Java processes start
def test_a_run_on_a_cluster(cluster: Mapping[str, str], settings: Settings, tmp_path: Path) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), SHOP)
    events, conf = tmp_path / "events", tmp_path / "conf"
    events.mkdir()
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir file://{events}\nspark.eventLog.compress false\n"
        "spark.executor.memory 512m\nspark.scheduler.minRegisteredResourcesRatio 1.0\n"
    )
    spark = {"SHOPMILL_ENGINE": "spark", "SHOPMILL_SPARK_MASTER": cluster["spark"], "SHOPMILL_MEMORY_LIMIT": "1GB"}
    of_spark = {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = of_the_settings(settings, **spark, **of_spark)
    ended = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines()[-1:] == ["published"], ended.stderr

    counts = tasks_by_executor(events)
    assert set(counts) == {"0", "1"}, "the tasks ran in the executors of both workers, none in the driver"
    with urllib.request.urlopen(cluster["json"], timeout=10) as answer:
        assert [app["name"] for app in json.load(answer)["completedapps"]] == ["shopmill"]

    on_duckdb = settings.model_copy(update={"store": str(tmp_path / "duckdb")})
    runs = [
        Run.create(datasets.load("user_item_interactions"), "2020-09-23", chosen) for chosen in (settings, on_duckdb)
    ]
    steps.run_all(runs[1])
    found, expected = map(interactions, runs)
    assert len(found) == 20
    assert found == expected
