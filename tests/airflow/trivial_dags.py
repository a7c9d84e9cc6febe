"""DAGs that do next to nothing, for testing what surrounds them."""

import os
import signal
import sys
import time
from dataclasses import replace
from datetime import timedelta

from airflow.sdk import DAG, Param, task

from shopmill.airflow.dag import in_time
from shopmill.airflow.notifications import announce_failure, announce_success, note_failure
from shopmill.errors import InvalidInputError
from shopmill.run.published import Published

PUBLISHED = Published(
    "user_item_interactions",
    "2020-09-23",
    "3f2a9c1d",
    1234567,
    45_600_000,
    12,
    "published",
    "/store",
    warned=("stale",),
)

with DAG("two_tasks", schedule=None, params={"as_of": Param("2020-01-01")}):

    @task
    def first(params: dict[str, str]) -> None:
        print("as_of is", params["as_of"])

    @task
    def second() -> list[bool]:
        """Whether a library and shopmill's own code, neither of which this file imports, are there before the task's code."""
        return ["duckdb" in sys.modules, "shopmill.run.steps" in sys.modules]

    first() >> second()

with DAG("fails", schedule=None):

    @task
    def broken() -> None:
        raise InvalidInputError("Price is negative in 3 rows of articles: correct them at the source.")

    @task
    def never() -> None:
        pass

    broken() >> never()

with DAG(
    "fails_twice",
    schedule=None,
    params={"as_of": Param("2020-01-01"), "fault": Param("")},
    on_failure_callback=announce_failure,
    default_args={"on_failure_callback": note_failure},
):
    """Both tasks fail with the fault that the run is given; without one it publishes."""

    def work(params: dict[str, str]) -> None:
        if params["fault"]:
            raise InvalidInputError(f"{params['fault']} in 3 rows of articles: correct them at the source.")

    @task
    def notify(**context: object) -> None:
        announce_success(context, replace(PUBLISHED, as_of=context["params"]["as_of"]))

    [task(work, task_id="one")(), task(work, task_id="other")()] >> notify()

with DAG(
    "is_killed",
    schedule=None,
    params={"as_of": Param("2020-01-01")},
    on_failure_callback=announce_failure,
    default_args={"on_failure_callback": note_failure},
):

    @task
    def killed() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    killed()

with DAG("succeeds", schedule=None, params={"as_of": Param("2020-01-01")}):

    @task
    def notify_success(**context: object) -> None:
        announce_success(context, replace(PUBLISHED, as_of=context["params"]["as_of"]))

    notify_success()

with DAG("sleeps", schedule=None):

    @task
    def sleep() -> None:
        time.sleep(600)

    sleep()

with DAG("dawdles", schedule=None, params={"as_of": Param("2020-01-01")}, deadline=in_time(timedelta(seconds=1))):

    @task
    def dawdle() -> None:
        time.sleep(600)

    dawdle()
