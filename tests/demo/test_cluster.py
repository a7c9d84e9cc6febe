import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopmill.airflow.local.processes import end_all, owned_by
from shopmill.shops.postgres import EmbeddedPostgres

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed: make services"),
]

DAGS = Path(__file__).parents[2] / "dags"
DATASET = "user_item_interactions"
PROGRAM = """
import sys
from pathlib import Path

from rich.console import Console

from shopmill.demo.demo import run_demo

folder, dags_folder, port, dataset = sys.argv[1:]
options = {"shop": "synthetic", "scale": 0.0005, "home": Path(folder), "dags_folder": Path(dags_folder)}
console = Console(width=200)
sys.exit(run_demo(console=console, exit=True, port=int(port), datasets=[dataset], cluster=True, **options))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's own temporary folder: that is private, and the server of a root user runs as nobody.
    with tempfile.TemporaryDirectory(prefix="shopmill-cluster-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        cluster = folder / "cluster"
        yield folder
        for part in ("airflow", "redis", "s3"):
            end_all(cluster / part, grace=1)
        EmbeddedPostgres(cluster / "postgres").stop()


def test_a_dataset_is_published_although_its_worker_is_killed(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, str(home), str(DAGS), str(port), DATASET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"Killed worker-[12] \(kill -9\) in the middle of {DATASET} \w+", done.stdout)
    assert re.search(rf"{DATASET} \w+, whose worker was killed: success in try 2", done.stdout)
    assert f"s3://shopmill/data/{DATASET}/as_of=" in done.stdout

    cluster = home / "cluster"
    assert not [process for part in ("airflow", "redis", "s3") for process in owned_by(cluster / part)]
    assert not EmbeddedPostgres(cluster / "postgres").is_running()
    for port in _ports(cluster):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
    _assert_in_no_log(cluster, done.stdout + done.stderr)


def _ports(cluster: Path) -> list[int]:
    """Those of Redis and of the S3 server."""
    redis = re.findall(r"^port (\d+)$", (cluster / "redis" / "redis.conf").read_text(), re.MULTILINE)
    objects = re.findall(r"AWS_ENDPOINT_URL='http://127.0.0.1:(\d+)'", (cluster / "env").read_text())
    return [int(port) for port in (*redis, *objects)]


def _assert_in_no_log(cluster: Path, told: str) -> None:
    settings = dict(line.split("=", 1) for line in (cluster / "env").read_text().splitlines())
    [broker_password] = re.findall(r"requirepass (\S+)", (cluster / "redis" / "redis.conf").read_text())
    secrets = {"AWS_SECRET_ACCESS_KEY": settings["AWS_SECRET_ACCESS_KEY"].strip("'"), "Redis": broker_password}
    for name in ("SHOPMILL_SOURCE_DSN", "SHOPMILL_REGISTRY_DSN"):
        secrets[name] = settings[name].split(":")[2].split("@")[0]
    logs = {str(path): path.read_text(errors="replace") for path in cluster.rglob("*.log")}
    assert len(logs) > 10  # Airflow's processes, its tasks, Redis, S3
    leaks = [
        (name, log)
        for name, secret in secrets.items()
        for log, text in {**logs, "told": told}.items()
        if secret in text
    ]
    assert leaks == []
