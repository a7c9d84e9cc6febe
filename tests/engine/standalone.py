"""A standalone Spark cluster whose two workers are other users, in folders that they alone may read."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ports import free_port

WAIT = Path(__file__).parents[2] / "deploy" / "spark" / "wait_for_workers.py"
USERS = ("daemon", "nobody")
WRITES_TO = re.compile(r"\) Execute InsertIntoHadoopFsRelationCommand.*?^Arguments: (\S+),", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Standalone:
    """A running cluster."""

    address: str
    folder: Path
    workers: tuple[subprocess.Popen[bytes], ...]

    def kill(self, number: int) -> None:
        """Ends a worker and its executors at once, as a machine does that loses its power."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    """A master and a worker of each of `USERS`, without any credentials in their environment."""
    port, web_port = free_port(), free_port()
    address = f"spark://127.0.0.1:{port}"
    master = _start(folder / "master", "root", "master.Master", "--port", str(port), "--webui-port", str(web_port))
    workers = tuple(_worker(folder / user, user, address) for user in USERS)
    try:
        subprocess.run([sys.executable, WAIT, f"http://127.0.0.1:{web_port}/json/", "2"], check=True)
        yield Standalone(address, folder, workers)
    finally:
        for process in (*workers, master):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _worker(folder: Path, user: str, address: str) -> subprocess.Popen[bytes]:
    own = ("--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", str(folder))
    return _start(folder, user, "worker.Worker", *own, address)


def _start(folder: Path, user: str, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """One daemon in a group of processes of its own, with its executors."""
    folder.mkdir(mode=0o700)
    shutil.chown(folder, user)
    import pyspark  # not where there is no Java

    home = Path(pyspark.__file__).parent
    environment = {"PATH": os.environ["PATH"], "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"SPARK_LOCAL_DIRS": str(folder), "SPARK_DAEMON_MEMORY": "256m", "HOME": str(folder)}
    command = ["setpriv", f"--reuid={user}", "--clear-groups", home / "bin" / "spark-class"]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        return subprocess.Popen(
            [*command, f"org.apache.spark.deploy.{name}", *arguments],
            env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


@dataclass(frozen=True)
class Wrote:
    """A task that wrote a part of a table."""

    address: str
    task: int
    executor: str
    rows: int


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """What Spark logged, in its order."""
    for path in sorted(folder.rglob("events_*")) or sorted(folder.glob("app-*")):
        for line in path.read_text().splitlines():
            with suppress(ValueError):  # the last line may not be whole yet
                yield json.loads(line)


def who_wrote(folder: Path) -> list[Wrote]:
    """Which executor wrote which part of which table, from Spark's event log."""
    to_of: dict[str, str] = {}
    stages: dict[int, str] = {}
    found: list[Wrote] = []
    for event in events(folder):
        kind = str(event["Event"])
        if kind.endswith("SparkListenerSQLExecutionStart") and (
            to := WRITES_TO.search(str(event["physicalPlanDescription"]))
        ):
            to_of[str(event["executionId"])] = to[1]
        elif kind == "SparkListenerJobStart":
            execution = (event.get("Properties") or {}).get("spark.sql.execution.id", "")
            if execution in to_of:
                stages |= dict.fromkeys(event["Stage IDs"], to_of[execution])
        elif kind == "SparkListenerTaskEnd" and event["Stage ID"] in stages:
            info, metrics = event["Task Info"], event.get("Task Metrics") or {}
            output = metrics.get("Output Metrics", {})
            if output.get("Bytes Written"):
                address = stages[event["Stage ID"]]
                found.append(Wrote(address, info["Index"], info["Executor ID"], output["Records Written"]))
    return found
