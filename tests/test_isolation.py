"""Tests depend on nothing that a demo, a shell or a deployment leaves behind."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOME = (
    "tests/test_settings.py",
    "tests/exports/test_documentation.py",
    "tests/catalogue/test_catalogue_pages.py::test_an_empty_store_and_a_silent_registry_are_said",
    "tests/versions/test_statistics.py",
    "tests/airflow/test_trigger_form.py",
)
PLANTED = {
    "SHOPMILL_TIME_ZONE": "Moon/Base",
    "SHOPMILL_STORE": "s3://nobody/has/this",
    "SHOPMILL_THREADS": "0",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_PROFILE": "nobody",
    "AIRFLOW__CORE__EXECUTOR": "NoSuchExecutor",
    "AIRFLOW__CORE__PARALLELISM": "many",
    "AIRFLOW_CONN_SHOPMILL_REGISTRY": "postgresql://nobody@127.0.0.1:1/x",
}


BESIDE_A_DEMO = (
    "tests/airflow/test_announcements.py::test_scheduled_runs_that_announce_have_no_partition_key",
    "tests/airflow/test_pods.py::test_a_killed_and_an_evicted_pod_run_again_and_the_version_is_that_of_a_worker",
)
"""Tests that failed after `make demo` in the same folder."""
LEFT_BY_A_DEMO = """SHOPMILL_STORE='/nobody/has/this/store'
SHOPMILL_SOURCE_DSN='host=127.0.0.1 port=1 dbname=shop user=nobody password=nothing'
SHOPMILL_REGISTRY_DSN='host=127.0.0.1 port=1 dbname=registry user=nobody password=nothing'
SHOPMILL_TIME_ZONE='America/New_York'
SHOPMILL_THREADS='1'
SHOPMILL_SCHEDULES='false'
"""


def ended(folder: Path, tests: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Some tests, started in a folder by somebody with variables of their own."""
    options = [
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-q",
        "--rootdir",
        str(ROOT),
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(str(ROOT / name) for name in tests)],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_is_planted_in_the_environment_the_folder_and_the_cache_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".shopmill").mkdir()
    (tmp_path / ".shopmill/env").write_text("SHOPMILL_TIME_ZONE=Moon/Base\nSHOPMILL_SCHEDULES=perhaps\n")
    (tmp_path / "cache/shopmill").mkdir(parents=True)
    (tmp_path / "cache/shopmill/model.onnx").write_bytes(b"not a model")
    found = ended(tmp_path, SOME, **PLANTED, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert found.returncode == 0, found.stdout[-3000:]


@pytest.mark.airflow
@pytest.mark.timeout(1800)
def test_what_a_demo_has_left_in_the_folder_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".shopmill").mkdir()
    (tmp_path / ".shopmill/env").write_text(LEFT_BY_A_DEMO)
    (tmp_path / ".shopmill/activate").write_text("export AIRFLOW_HOME=/nobody/has/this\n")
    found = ended(tmp_path, BESIDE_A_DEMO)
    assert found.returncode == 0, found.stdout[-3000:]
    assert "2 passed" in found.stdout


def test_no_test_leaves_anything_in_the_working_directory() -> None:
    assert Path.cwd() != ROOT
    assert not Path(".shopmill/env").exists()


def test_no_two_test_files_have_one_name() -> None:
    """Pytest imports them by their names alone, and refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()
