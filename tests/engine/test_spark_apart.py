"""Spark on machines that share nothing but S3: `make test-cluster`. Each worker is another user with a folder of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from golden import fill_shop, load_case, run_case
from standalone import Standalone, events, standalone, who_wrote
from test_spark_cluster import CONNECTOR, LAST_DAYS, RUN, configured, expected, interactions, made, of_the_settings

from shopmill.settings import Settings

pytestmark = [
    pytest.mark.spark,
    pytest.mark.timeout(3000),
    pytest.mark.skipif("SHOPMILL_TEST_CLUSTER" not in os.environ, reason="takes minutes: `make test-cluster`"),
]
CASES = (
    "user_item_interactions/time_zones",
    "customer_features/clv",
    "events_and_funnels/users",
    "timeseries/calendar",
    "training_labels/labels",
    "articles_content/normalised",
    "reviews_nlp/cleaning",
)
PROVIDER = "spark.hadoop.fs.s3a.aws.credentials.provider"
OF_THE_ENVIRONMENT = "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"


@pytest.fixture(scope="module")
def apart() -> Iterator[Standalone]:
    if os.getuid() or not shutil.which("setpriv"):
        pytest.skip("workers of other users are started by root")
    folder = Path(tempfile.mkdtemp(prefix="shopmill-apart-"))  # pytest's own folders are closed to other users
    folder.chmod(0o711)
    try:
        with standalone(folder) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def run_apart(
    apart: Standalone, settings: Settings, s3_store: str, tmp_path: Path
) -> Callable[..., subprocess.Popen[str]]:
    """Begins a run in a process of its own, whose folder nobody else may read."""

    def begin(**spark: str) -> subprocess.Popen[str]:
        jars = ",".join(sorted(map(str, CONNECTOR.glob("*.jar"))))
        conf = configured(tmp_path, **{"spark.jars": jars, **spark})
        tmp_path.chmod(0o700)
        of_spark = {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1", "SHOPMILL_SPARK_MASTER": apart.address}
        environment = of_the_settings(
            settings.model_copy(update={"store": s3_store}),
            SHOPMILL_ENGINE="spark", SHOPMILL_MEMORY_LIMIT="1GB", **of_spark,
        )  # fmt: skip
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", RUN], env=environment, stdout=pipe, stderr=pipe, text=True)

    fill_shop(settings.source_dsn.get_secret_value(), LAST_DAYS)
    return begin


def test_executors_without_credentials(run_apart: Callable[..., subprocess.Popen[str]]) -> None:
    """The driver has those of its environment; executors are told to look into theirs."""
    _, said = run_apart(**{PROVIDER: OF_THE_ENVIRONMENT, "spark.task.maxFailures": "1"}).communicate()
    assert "the cluster has no credentials. Give its executors a role" in said


@pytest.mark.parametrize("case", CASES)
def test_all_datasets(
    case: str, apart: Standalone, settings: Settings, s3_store: str, spark_settings: Mapping[str, Any], tmp_path: Path
) -> None:
    """The golden cases, whose rows DuckDB gives too. One application of Spark serves them all."""
    assert spark_settings
    conf = Path(os.environ["SPARK_CONF_DIR"]) / "spark-defaults.conf"
    if "spark.jars " not in conf.read_text():
        jars = ",".join(sorted(map(str, CONNECTOR.glob("*.jar"))))
        with conf.open("a") as more:
            more.write(f"spark.jars {jars}\nspark.executor.memory 512m\nspark.hadoop.fs.s3a.access.key tester\n")
            more.write("spark.hadoop.fs.s3a.secret.key a-secret-key\n")
    on_cluster = {"engine": "spark", "spark_master": apart.address, "memory_limit": "1GB", "store": s3_store}
    dataset = case.partition("/")[0]
    for run in load_case(Path(__file__).parents[1] / "datasets" / f"{case}.yaml"):
        run_case(dataset, run, settings.model_copy(update=on_cluster))


def test_a_worker_is_killed_in_mid_run(
    run_apart: Callable[..., subprocess.Popen[str]],
    apart: Standalone, settings: Settings, s3_store: str, tmp_path: Path,
) -> None:  # fmt: skip
    """The last of the tests: the cluster is left with one worker."""
    run = run_apart()
    while run.poll() is None and len(at_work(tmp_path / "events")) < 2:
        time.sleep(0.1)
    apart.kill(1)
    out, said = run.communicate()
    assert out.splitlines()[-1:] == ["published"], said
    kinds = [event["Event"] for event in events(tmp_path / "events")]
    assert "SparkListenerExecutorRemoved" in kinds
    for wrote in who_wrote(tmp_path / "events"):
        part = wrote.address.partition("/written/")[2]
        print(f"executor {wrote.executor} wrote task {wrote.task} of {part}: {wrote.rows} rows")
    found = made(settings.model_copy(update={"store": s3_store}))
    assert interactions(found) == expected(settings, tmp_path)


def at_work(folder: Path) -> set[str]:
    """The executors that have been given a task."""
    started = (event for event in events(folder) if event["Event"] == "SparkListenerTaskStart")
    return {event["Task Info"]["Executor ID"] for event in started}
