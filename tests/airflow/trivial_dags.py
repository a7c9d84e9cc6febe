"""DAGs that do next to nothing, for testing what surrounds them."""

import time

from airflow.sdk import DAG, Param, task

from shopmill.airflow.notifications import announce_failure, announce_success
from shopmill.errors import InvalidInputError

with DAG("two_tasks", schedule=None, params={"as_of": Param("2020-01-01")}):

    @task
    def first(params: dict[str, str]) -> None:
        print("as_of is", params["as_of"])

    @task
    def second() -> None:
        pass

    first() >> second()

with DAG("fails", schedule=None, default_args={"on_failure_callback": announce_failure}):

    @task
    def broken() -> None:
        raise InvalidInputError("Price is negative in 3 rows of articles: correct them at the source.")

    @task
    def never() -> None:
        pass

    broken() >> never()

with DAG("succeeds", schedule=None, params={"as_of": Param("2020-01-01")}):

    @task
    def notify(**context: object) -> None:
        summary = {"version": "3f2a9c1d", "rows": 1234567, "rejected": 12, "bytes": 45_600_000, "warned": ["stale"]}
        announce_success(context, summary)

    notify()

with DAG("sleeps", schedule=None):

    @task
    def sleep() -> None:
        time.sleep(600)

    sleep()
