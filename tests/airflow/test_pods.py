"""Encoding in pods: the DAG through Airflow's own operator, against a Kubernetes API whose pods are processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from golden import LENIENT, fill_shop
from kubernetes_api import KubernetesApi, Pod

from shopmill import datasets
from shopmill.reading import load
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store

pytestmark = pytest.mark.airflow
ROOT = Path(__file__).parents[2]
IMAGE = "shop/shopmill-encoder:1"
# Small files in the cache, so that a pod can be killed between two.
COMMAND = [
    sys.executable,
    "-c",
    "from shopmill.text import cache; cache.TEXTS_PER_FILE = 20; from shopmill.cli.app import main; main()",
]
RUN_DAGS = """
import json, os, runpy, sys
from datetime import timedelta

for line in sys.stdin:
    asked = json.loads(line)
    os.environ.update(asked["environment"])
    dag = runpy.run_path(asked["path"])["dag"]
    dag.deadline = None  # dag.test() would look for it where only a scheduler puts it
    for task in dag.tasks:
        options = task.partial_kwargs if task.is_mapped else task.__dict__
        options["retry_delay"] = timedelta(0)
    run = dag.test(run_conf=asked["conf"])
    found = [[task.task_id, task.map_index, task.state, task.try_number] for task in run.get_task_instances()]
    print("RESULT", json.dumps([run.state, found]), flush=True)
"""
ARTICLES = [{"article_id": f"{n:04d}", "prod_name": f"dress number {n}", "detail_desc": "red " * n} for n in range(200)]
AS_OF = "2020-09-22"


@dataclass
class Outcome:
    """How a run ended: state and number of tries by task and map index (-1 where a task is not mapped)."""

    state: str
    tasks: dict[tuple[str, int], tuple[str, int]]
    log: str

    def of(self, task: str) -> list[tuple[str, int]]:
        return [outcome for (name, _), outcome in sorted(self.tasks.items()) if name == task]


@dataclass
class DagRunner:
    """A process with Airflow in it that runs DAGs to their end, one after another."""

    process: subprocess.Popen[str]

    def run(self, dataset: str, conf: Mapping[str, Any], environment: Mapping[str, str]) -> Outcome:
        asked = {"path": str(ROOT / "dags" / f"{dataset}.py"), "conf": conf, "environment": environment}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        log = []
        for line in self.process.stdout:
            if line.startswith("RESULT "):
                state, found = json.loads(line.removeprefix("RESULT "))
                return Outcome(state, {(name, index): (s, tries) for name, index, s, tries in found}, "".join(log))
            log.append(line)
        raise AssertionError("".join(log)[-4000:])


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagRunner]:
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "SHOPMILL_SCHEDULES": "false",
        "SHOPMILL_ENCODER_PLACE": "kubernetes",
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    command = [sys.executable, "-c", RUN_DAGS]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        yield DagRunner(process)
        process.kill()


@pytest.fixture
def api(encoder_folder: Path) -> Iterator[KubernetesApi]:
    """What the environment of a pod is beside what the operator gives it: that of the image."""
    environment = {"PATH": os.environ["PATH"], "SHOPMILL_ENCODER_FOLDER": str(encoder_folder), "COLUMNS": "200"}
    with KubernetesApi({IMAGE: COMMAND}, environment) as running:
        yield running


@pytest.fixture
def run_dag(runner: DagRunner, api: KubernetesApi, settings: Settings) -> Callable[..., Outcome]:
    """Runs the DAG of a dataset; the pods are as the settings in `pods` say."""
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": json.dumps(api.kube_config)}}

    def run(dataset: str, pods: Mapping[str, Any] | None = None, **parameters: Any) -> Outcome:
        environment = {
            "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
            "SHOPMILL_STORE": settings.store,
            "SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value(),
            "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
            "SHOPMILL_ENCODER_FOLDER": str(settings.encoder_folder),
            "SHOPMILL_PODS": json.dumps({"image": IMAGE, **(pods or {})}),
        }
        return runner.run(dataset, {"as_of": AS_OF, **LENIENT, **parameters}, environment)

    return run


@pytest.fixture
def catalogue(settings: Settings) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": ARTICLES})
    steps.run_all(Run.create(datasets.load("articles_content"), AS_OF, settings, LENIENT))


def shard_of(pod: Pod) -> str:
    return str(pod.document["spec"]["containers"][0]["args"][-1])


def worker_version(settings: Settings, folder: Path) -> str:
    """The version that a worker makes of the same shop, in a store of its own."""
    alone = settings.model_copy(update={"store": str(folder)})
    steps.run_all(Run.create(datasets.load("articles_content"), AS_OF, alone, LENIENT))
    return str(steps.run_all(Run.create(datasets.load("articles_embeddings"), AS_OF, alone, LENIENT)).version)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("catalogue")
def test_a_killed_and_an_evicted_pod_run_again_and_the_version_is_that_of_a_worker(
    run_dag: Callable[..., Outcome], api: KubernetesApi, settings: Settings, tmp_path: Path
) -> None:
    fates = {"0/2": lambda pod: kill_in_mid_shard(pod, Store(settings.store)), "1/2": Pod.evict}
    api.on_start = lambda pod: fates.pop(shard_of(pod), lambda _: None)(pod)
    ended = run_dag("articles_embeddings", {"texts": 100})
    assert ended.state == "success", ended.log[-4000:]
    assert ended.of("encode_texts") == [("success", 2), ("success", 2)]
    assert "Evicted The node was low on resource: memory." in ended.log
    assert sorted(shard_of(pod) for pod in api.created) == ["0/2", "0/2", "1/2", "1/2"]
    assert api.pods == {}, "no pod is left behind"

    again = [b"".join(pod.output).decode() for pod in api.created if shard_of(pod) == "0/2"][-1]
    encoded, cached = (int(word) for word in again.split("shard 0/2:")[1].split() if word.isdigit())
    assert encoded > 0
    assert cached > 0
    assert "texts/s" in again, "the task's log has the pod's own"
    assert "texts/s" in ended.log
    published = load("articles_embeddings", AS_OF, store=settings.store)
    assert published.version == worker_version(settings, tmp_path / "alone")
    for pod in api.created:
        kubernetes_validate.validate({k: v for k, v in pod.document.items() if k != "status"}, "1.37", strict=True)


def kill_in_mid_shard(pod: Pod, store: Store) -> None:
    """SIGKILL after the first file of vectors."""
    assert pod.process
    while pod.process.poll() is None and not store.keys("embeddings"):
        time.sleep(0.001)
    pod.process.kill()


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("catalogue")
def test_no_pod_starts_where_no_vector_is_missing(
    run_dag: Callable[..., Outcome], api: KubernetesApi, settings: Settings
) -> None:
    steps.run_all(Run.create(datasets.load("articles_embeddings"), AS_OF, settings, LENIENT))
    other_terms = run_dag("articles_embeddings", min_df=1)
    assert other_terms.state == "success", other_terms.log[-4000:]
    assert other_terms.of("encode_texts") == [("skipped", 0)]
    assert other_terms.of("bert_embeddings") == other_terms.of("notify") == [("success", 1)]
    same = run_dag("articles_embeddings", min_df=1)
    assert {state for task, (state, _) in same.tasks.items() if task[0] != "load_artifact"} == {"skipped"}
    assert api.created == []


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("catalogue")
def test_an_image_that_cannot_be_pulled_is_told_at_once_and_not_tried_again(
    run_dag: Callable[..., Outcome], api: KubernetesApi
) -> None:
    ended = run_dag("articles_embeddings", {"image": "shop/mistyped:1"})
    assert ended.state == "failed"
    assert ended.of("encode_texts") == [("failed", 1)]
    assert ended.of("bert_embeddings") == [("upstream_failed", 0)]
    assert 'image "shop/mistyped:1": not found' in ended.log
    assert "Set SHOPMILL_PODS__IMAGE to an image that the cluster can pull." in ended.log
    assert api.pods == {}


@pytest.mark.timeout(600)
def test_reviews_with_the_triggerer_waiting_for_the_pod(
    run_dag: Callable[..., Outcome], api: KubernetesApi, settings: Settings
) -> None:
    review = {"review_id": "r1", "article_id": "0001", "rating": 4, "review_date": "2020-09-21"}
    reviews = [{**review, "review_text": "A good bolt that holds."}]
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": ARTICLES[:2], "reviews": reviews})
    ended = run_dag("reviews_nlp", {"deferrable": True})
    assert ended.state == "success", ended.log[-4000:]
    assert "DEFERRED" in ended.log
    assert "encoded 1 texts" in ended.log
    assert load("reviews_nlp", AS_OF, store=settings.store).manifest.rows("embeddings") == 1
    assert api.pods == {}
