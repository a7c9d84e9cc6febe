"""The DAG of a dataset: all that a DAG file need not say, because it is the same for every dataset or declared."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from shopmill import datasets
from shopmill.airflow.notifications import announce_failure, announce_late, note_failure
from shopmill.airflow.run_as_of import MACROS
from shopmill.airflow.trigger_form import params_of
from shopmill.datasets import shop_defaults
from shopmill.settings import load_settings

LONGEST = timedelta(hours=6)


def dataset_dag(name: str, schedule: Any, priority: int = 1) -> DAG:
    """The DAG of a dataset: its documentation, parameters and owner come from the declaration.

    Where tasks wait for a worker or for the pool, those of a higher priority go first.
    """
    declared = datasets.load(name)
    return DAG(
        dag_id=name,
        schedule=schedule,
        dag_display_name=declared.title,
        description=declared.documentation.strip().splitlines()[0],
        doc_md=declared.documentation,
        params=params_of(declared, shop_defaults(load_settings()).get(name, {})),
        tags={"shopmill", declared.owner},
        catchup=False,
        max_active_runs=1,
        on_failure_callback=announce_failure,
        deadline=in_time(declared.promise.within),
        render_template_as_native_obj=False,
        user_defined_macros=MACROS,
        default_args={
            "owner": declared.owner,
            "priority_weight": priority,
            "weight_rule": "absolute",
            "retries": 3,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=10),
            "execution_timeout": longest_task(),
            "retry_policy": ExceptionRetryPolicy(
                [RetryRule("shopmill.errors.PermanentError", RetryAction.FAIL, reason="Retrying cannot fix this.")]
            ),
            "on_failure_callback": note_failure,
        },
    )


def longest_task() -> timedelta:
    """What a task may take at most: as Airflow's `[core] default_task_execution_timeout` says, else six hours.

    A task that waits for ever holds a slot, and the locks of its run.
    """
    from airflow.configuration import conf

    return conf.gettimedelta("core", "default_task_execution_timeout") or LONGEST


def in_time(within: timedelta) -> DeadlineAlert:
    """People are notified when a run has not ended this time after it was queued."""
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, within, AsyncCallback(announce_late), name="promise")
