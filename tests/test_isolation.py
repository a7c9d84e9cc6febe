"""Tests depend on nothing that a demo, a shell or a deployment leaves behind."""

import os
import subprocess
import sys
from pathlib import Path

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


def test_what_is_planted_in_the_environment_the_folder_and_the_cache_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".shopmill").mkdir()
    (tmp_path / ".shopmill/env").write_text("SHOPMILL_TIME_ZONE=Moon/Base\nSHOPMILL_SCHEDULES=perhaps\n")
    (tmp_path / "cache/shopmill").mkdir(parents=True)
    (tmp_path / "cache/shopmill/model.onnx").write_bytes(b"not a model")
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
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(str(ROOT / name) for name in SOME)],
        cwd=tmp_path,
        env={**os.environ, **PLANTED, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]


def test_no_test_leaves_anything_in_the_working_directory() -> None:
    assert Path.cwd() != ROOT
    assert not Path(".shopmill/env").exists()


def test_no_two_test_files_have_one_name() -> None:
    """Pytest imports them by their names alone, and refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()
