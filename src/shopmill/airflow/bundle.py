"""Shopmill's DAGs for an Airflow that already runs: name this class in `[dag_processor] dag_bundle_config_list`."""

from typing import Any

from airflow.dag_processing.bundles.local import LocalDagBundle

from shopmill.datasets.dag_file import dags_folder


class ShopmillDags(LocalDagBundle):
    """The DAG files of the installed package; a new version of the package brings its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(path=str(dags_folder()), **kwargs)
