"""Behind a Spark Connect server: what its client does otherwise than Spark in the same process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import quick_spark
from ports import free_port

pytestmark = pytest.mark.spark

SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this module's own."""
    import pyspark

    folder, port, home = tmp_path_factory.mktemp("connect"), free_port(), Path(pyspark.__file__).parent
    place = {"port": port, "address": "127.0.0.1"}
    settings = [f"--conf=spark.connect.grpc.binding.{name}={value}" for name, value in place.items()]
    command = [home / "bin" / "spark-submit", "--master", "local[1]", "--class", SERVER, *settings, "spark-internal"]
    environment = {**os.environ, "SPARK_HOME": str(home), **quick_spark.environment(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        _wait(process, port, folder / "log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while process.poll() is None:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(log.read_text()[-2000:])


CLIENT = """
import sys
from pathlib import Path
import pyarrow as pa
from shopmill.engine.spark_engine import SparkEngine
from shopmill.settings import Settings

folder = Path(sys.argv[2])
rows = pa.table({"day": pa.array([None], pa.date32()), "n": pa.array([7], pa.int64())})
with SparkEngine(Settings(_env_file=None, engine="spark", spark_master=sys.argv[1]), folder) as engine:
    engine.table("some", rows)
    engine.table("none", rows.slice(0, 0))
    engine.write("select day, n from some union all select day, n from none order by n", {}, folder / "t.parquet")
"""
"""In a process of its own: pyspark has one kind of session in a process, and other tests have the other kind."""


def test_a_small_table_is_there_with_rows_and_without(server: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLIENT, server, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == [{"day": None, "n": 7}]
