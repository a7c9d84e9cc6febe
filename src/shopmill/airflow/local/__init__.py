"""An Airflow on this machine for demos and tests: started, watched, asked and ended by one program."""

from shopmill.airflow.local.client import AirflowApiError, AirflowClient, RunState, TaskState
from shopmill.airflow.local.server import LocalAirflow, LocalAirflowError

__all__ = ["AirflowApiError", "AirflowClient", "LocalAirflow", "LocalAirflowError", "RunState", "TaskState"]
