"""That the process whose forks tasks are imports once what they need. With LocalExecutor: test_local."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from airflow.configuration import conf
from airflow.providers.celery.executors.celery_executor_utils import create_celery_app

before = "duckdb" in sys.modules
create_celery_app(conf).loader.import_default_modules()  # as a worker does before it forks
print(before, "duckdb" in sys.modules)
"""


def test_a_celery_worker_imports_before_it_forks(tmp_path: Path) -> None:
    environment = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CELERY__BROKER_URL": "redis://127.0.0.1:1/0",
        "AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS": "shopmill.airflow.celery_settings.PRELOADING",
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split()[-2:] == ["False", "True"], done.stderr[-2000:]
