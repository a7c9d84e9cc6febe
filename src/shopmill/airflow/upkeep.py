"""DAGs that keep what datasets are made of in order, and publish nothing."""

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule, task

from shopmill.airflow.dag import longest_task
from shopmill.airflow.notifications import announce_upkeep_failure

log = logging.getLogger(__name__)
REASON = "Running it again cannot fix this."


def upkeep_dag(name: str, schedule: Any, doc: str) -> DAG:
    """A DAG of the kind: one run at a time, tasks retried where that may help."""
    return DAG(
        dag_id=name,
        schedule=schedule,
        description=doc.strip().splitlines()[0],
        doc_md=doc,
        tags={"shopmill", "upkeep"},
        catchup=False,
        max_active_runs=1,
        default_args={
            "on_failure_callback": announce_upkeep_failure,
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
            "execution_timeout": longest_task(),
            "retry_policy": ExceptionRetryPolicy(
                [RetryRule("shopmill.errors.PermanentError", RetryAction.FAIL, reason=REASON)]
            ),
        },
    )


@task
def reconcile() -> list[str]:
    """Compares every day that was read with the shop, and reads the days again that differ; gives what was found."""
    from shopmill.airflow.connections import airflow_settings
    from shopmill.source.reconcile import reconcile as compare
    from shopmill.versions.locks import Locks
    from shopmill.versions.store import Store

    settings = airflow_settings()
    found = compare(settings, Locks(Store(settings.store, settings.work_folder)).lock)
    for table in found:
        log.info("%s", table.sentence)
    return [table.sentence for table in found]


@task
def verify() -> str:
    """Compares every version, its raw files, pointers, index and registry; fails with what differs."""
    from shopmill.airflow.connections import airflow_settings
    from shopmill.trust.erasure.returned import findings
    from shopmill.trust.looks import DifferencesError, verifications

    settings = airflow_settings()
    looks = verifications(settings, raw=True)
    found = [*(finding for look in looks for finding in look.of(everything=True)), *findings(settings)]
    for finding in found:
        log.error("%s", finding.sentence)
    if found:
        raise DifferencesError(found)
    return "Nothing differs."
