"""Shopmill's DAGs for an Airflow that already runs: name this class in `[dag_processor] dag_bundle_config_list`."""

from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.local import LocalDagBundle


class ShopmillDags(LocalDagBundle):
    """The DAG files of the installed package; a new version of the package brings its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(path=str(dags_folder()), **kwargs)


def dags_folder() -> Path:
    """Where the DAG files are: in the installed package, or beside `src` in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "dags"
    return installed if installed.exists() else package.parents[1] / "dags"
