"""The tasks of a DAG file, one function each: `extract() >> transform() >> quality_check() >> ...`."""

from airflow.sdk import TaskGroup

from shopmill import datasets
from shopmill.airflow.assets import outlets
from shopmill.airflow.operators import NotifyOperator, StepOperator
from shopmill.airflow.pool import SOURCE_POOL
from shopmill.settings import load_settings


def extract(name: str = "extract") -> StepOperator:
    """Brings the source tables of one extract task of the dataset into the store."""
    return StepOperator(step="extract", part=name, task_id=name, pool=SOURCE_POOL)


def transform(name: str = "transform") -> StepOperator:
    """Computes the tables of one transform task of the dataset."""
    return StepOperator(step="transform", part=name, task_id=name)


def embed(name: str) -> StepOperator | TaskGroup:
    """As `transform`, for a task whose tables have embeddings: where the settings say so, pods encode its texts first."""
    if load_settings().encoder_place == "worker":
        return transform(name)
    from shopmill.airflow.pods import embed_in_pods  # Airflow's Kubernetes operator takes seconds to import

    return embed_in_pods(name)


def quality_check() -> StepOperator:
    """Runs the dataset's checks; nothing is published when one of severity error fails."""
    return StepOperator(step="check", task_id="quality_check")


def save_artifact(dataset: str) -> StepOperator:
    """Publishes the version: an asset event for it, and one for each announcement of the dataset that is due."""
    return StepOperator(step="publish", task_id="save_artifact", outlets=outlets(datasets.load(dataset)))


def register_metadata() -> StepOperator:
    """Finishes the run's row in etl_runs."""
    return StepOperator(step="register", task_id="register_metadata")


def notify() -> NotifyOperator:
    """Notifies Slack and e-mail, where their connections exist."""
    return NotifyOperator(task_id="notify")
