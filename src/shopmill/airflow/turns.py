"""Runs of one dataset at the same time: one that continues from the previous version waits until that is there.

Airflow starts the runs of a backfill in order, several at once. Their extracts go side by side; then each run whose
dataset continues waits for those of earlier as_ofs, so that it gives what it would have given alone.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowRescheduleException

from shopmill.asof import AsOf
from shopmill.run.content import continues
from shopmill.run.run import Run

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 2.0
IN_PLACE_SECONDS = 60.0
AWAY = timedelta(seconds=20)
"""Long enough for a busy scheduler to have noticed that the task left, before it comes back."""
PUBLISHED = {"published", "unchanged"}


def wait_for_turn(run: Run, task: Any) -> None:
    """Returns when no earlier run is at work; `task` is Airflow's task instance.

    After a minute it gives the worker's slot back for a while, for the earlier run may need one. A run of today never
    waits for one that fills in a past from before the version that it continues from.
    """
    if not continues(run.dataset):
        return
    until = time.monotonic() + IN_PLACE_SECONDS
    while reason := _reason_to_wait(run, task):
        log.info("%s: waiting.", reason)
        if time.monotonic() > until:
            raise AirflowRescheduleException(datetime.now(UTC) + AWAY)  # type: ignore[no-untyped-call]
        time.sleep(LOOK_EVERY_SECONDS)


def _reason_to_wait(run: Run, task: Any) -> str:
    known = run.registry.recent_dag_runs(run.dataset.name)
    if earlier := _could_be_continued(run, known):
        at_work = task.get_dr_count(dag_id=task.dag_id, run_ids=earlier, states=["running"])
        if at_work:
            return f"{at_work} runs of earlier as_ofs are at work"
    running = task.get_dr_count(dag_id=task.dag_id, states=["running"])
    names = [found["dag_run_id"] for found in known]
    if task.get_dr_count(dag_id=task.dag_id, run_ids=names, states=["running"]) < running:
        return "a run has started that has not said yet which as_of it is for"
    return ""


def _could_be_continued(run: Run, known: list[dict[str, Any]]) -> list[str]:
    """The DAG runs whose version this one would continue from, were it there: after the previous version, before as_of."""
    before, zone = run.versions.before(run.as_of), run.settings.zone
    since = AsOf.parse(before.as_of, zone).instant if before else datetime.min.replace(tzinfo=UTC)
    return [
        found["dag_run_id"]
        for found in known
        if found["status"] not in PUBLISHED and since <= AsOf.parse(found["as_of"], zone).instant < run.as_of.instant
    ]
