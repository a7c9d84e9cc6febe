"""Everything that a DAG file needs: the DAG of a dataset, its schedules and its tasks.

Importing it imports no engine, no database driver and no step: parsing a DAG file stays quick.
"""

from shopmill.airflow.dag import dataset_dag
from shopmill.airflow.schedules import daily, daily_announcing, every_minutes, weekly, weekly_or_announced
from shopmill.airflow.tasks import embed, extract, notify, quality_check, register_metadata, save_artifact, transform

__all__ = [
    "daily",
    "daily_announcing",
    "dataset_dag",
    "embed",
    "every_minutes",
    "extract",
    "notify",
    "quality_check",
    "register_metadata",
    "save_artifact",
    "transform",
    "weekly",
    "weekly_or_announced",
]
