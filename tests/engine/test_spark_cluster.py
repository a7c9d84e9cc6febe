"""A dataset end to end on a real standalone cluster: a master and two workers, as deploy/spark starts them.

Once over a folder that all of them share, and once where they share nothing but a store on S3.
"""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden import fill_shop

from ports import free_port
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

pytestmark = pytest.mark.spark
DEPLOY = Path(__file__).parents[2] / "deploy" / "spark"
CONNECTOR = Path(__file__).parents[2] / ".venv-connector"
RUN = """
import sys
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import load_settings
print(steps.run_all(Run.create(datasets.load("user_item_interactions"), "2020-09-23", load_settings())).status)
"""
SHOP: dict[str, list[dict[str, Any]]] = {
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
LAST_DAYS = {**SHOP, "transactions": [row for row in SHOP["transactions"] if row["t_dat"] > "2020-09-20"]}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The addresses of a running master: `spark` for runs, `json` for what it knows."""
    ports = {name: str(free_port()) for name in ("SPARK_MASTER_PORT", "SPARK_MASTER_WEBUI_PORT")}
    folder = str(tmp_path_factory.mktemp("cluster"))
    environment = {**os.environ, **ports, "PYTHON": sys.executable, "COLUMNS": "80"}  # as a narrow terminal has it
    started = subprocess.run(
        [DEPLOY / "start.sh", folder], env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        yield {
            "spark": started.stdout.strip(),
            "json": f"http://127.0.0.1:{ports['SPARK_MASTER_WEBUI_PORT']}/json/",
            "folder": folder,
        }
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
        "SHOPMILL_SPLIT_INTO": str(settings.split_into),
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


def configured(folder: Path, **others: str) -> Path:
    """A folder with Spark's configuration, which logs events to its folder `events`."""
    (folder / "events").mkdir()
    lines = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{folder}/events",
        "spark.eventLog.compress": "false",
        "spark.executor.memory": "512m",
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        **others,
    }
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    return folder


def run_on(cluster: Mapping[str, str], conf: Path, settings: Settings) -> str:
    """Runs the dataset in a process of its own; gives what it said."""
    spark = {"SHOPMILL_ENGINE": "spark", "SHOPMILL_SPARK_MASTER": cluster["spark"], "SHOPMILL_MEMORY_LIMIT": "1GB"}
    of_spark = {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = of_the_settings(settings, **spark, **of_spark)
    ended = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines()[-1:] == ["published"], ended.stderr
    return ended.stdout + ended.stderr


def interactions(run: Run) -> list[tuple[Any, ...]]:
    manifest = run.versions.need(run.as_of)
    with run.store.scratch() as scratch:
        files = [str(file) for file in run.store.fetch(run.versions.keys_of(manifest, "interactions"), scratch)]
        query = f"select * from read_parquet({files}, hive_partitioning = false) order by customer_id, article_id"
        return duckdb.connect().execute(query).fetchall()


@pytest.mark.timeout(2400)  # five Java processes start
def test_a_run_on_a_cluster(cluster: Mapping[str, str], settings: Settings, tmp_path: Path) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), SHOP)
    run_on(cluster, configured(tmp_path), settings)

    counts = tasks_by_executor(tmp_path / "events")
    assert set(counts) == {"0", "1"}, "the tasks ran in the executors of both workers, none in the driver"
    with urllib.request.urlopen(cluster["json"], timeout=10) as answer:
        assert {app["name"] for app in json.load(answer)["completedapps"]} == {"shopmill"}
    assert interactions(made(settings)) == expected(settings, tmp_path)


def made(settings: Settings) -> Run:
    return Run.create(datasets.load("user_item_interactions"), "2020-09-23", settings)


def expected(settings: Settings, tmp_path: Path) -> list[tuple[Any, ...]]:
    """The rows that DuckDB gives."""
    run = made(settings.model_copy(update={"store": str(tmp_path / "duckdb")}))
    steps.run_all(run)
    found = interactions(run)
    assert len(found) == 20
    return found


@dataclass(frozen=True)
class Request:
    """A request that the S3 server was sent."""

    by: str
    method: str
    key: str
    is_copy: bool
    range: str

    @property
    def moves_rows_of_the_dataset(self) -> bool:
        """Whether it carries rows of what is computed: neither a server-side copy nor the footer of a file."""
        is_table = self.key.endswith(".parquet") and "/user_item_interactions/" in self.key
        return is_table and self.method in {"GET", "PUT", "POST"} and not self.is_copy and not self.range


@pytest.fixture
def requests(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the S3 server is sent, as it comes."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    seen: list[Request] = []
    answer = DomainDispatcherApplication.__call__

    def noted(app: Any, environ: Any, start_response: Any) -> Any:
        by = "cluster" if "hadoop" in environ.get("HTTP_USER_AGENT", "").lower() else "worker"
        is_copy = "HTTP_X_AMZ_COPY_SOURCE" in environ
        method, range_of = environ["REQUEST_METHOD"], environ.get("HTTP_RANGE", "")
        seen.append(Request(by, method, environ["PATH_INFO"], is_copy, range_of))
        return answer(app, environ, start_response)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", noted)
    return seen


@pytest.mark.timeout(2400)  # three Java processes start
def test_a_cluster_that_shares_nothing_but_s3(
    cluster: Mapping[str, str], settings: Settings, s3_store: str, requests: list[Request], tmp_path: Path
) -> None:
    jars = sorted(map(str, CONNECTOR.glob("*.jar")))
    if not jars:
        pytest.skip("Spark's connector to S3 is not here: `make connector` fetches it from Maven")
    fill_shop(settings.source_dsn.get_secret_value(), LAST_DAYS)
    on_s3 = settings.model_copy(update={"store": s3_store, "split_into": 16})
    said = run_on(cluster, configured(tmp_path, **{"spark.jars": ",".join(jars)}), on_s3)

    run = made(on_s3)
    assert set(tasks_by_executor(tmp_path / "events")) == {"0", "1"}
    assert {request.by for request in requests if request.moves_rows_of_the_dataset} == {"cluster"}
    assert run.versions.faults(run.versions.need(run.as_of), hashes=True) == {}, "hashes are those of the bytes"
    assert run.store.keys("staging") == []
    assert len(run.versions.need(run.as_of).files("interactions")) > 1, "several tasks wrote it"
    assert interactions(run) == expected(settings, tmp_path)
    logs = [path.read_text(errors="replace") for path in Path(cluster["folder"]).rglob("*") if is_log(path)]
    logs += [path.read_text() for path in (tmp_path / "events").rglob("*") if path.is_file()]
    assert not any(os.environ["AWS_SECRET_ACCESS_KEY"] in text for text in (said, *logs))


def is_log(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".log" or path.name in {"stderr", "stdout"})
