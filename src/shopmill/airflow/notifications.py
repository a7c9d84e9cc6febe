"""Notifies people of a run, once: that it failed, is late, recovered, or published.

A task that fails leaves a note in the registry (`note_failure`), and the end of its run is one message about all of them
(`announce_failure`). The registry also knows what was reported before, so that the same is not reported again within
`notify_again_hours`. Where the registry does not answer, people are notified all the same. Nothing here fails a run.
"""

import asyncio
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shopmill import datasets
from shopmill.airflow import metrics
from shopmill.airflow.delivery import deliver
from shopmill.airflow.message_forms import Message, one_line
from shopmill.airflow.messages import (
    FailedTask,
    Outcome,
    failure_message,
    late_message,
    success_message,
    upkeep_message,
)
from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError
from shopmill.redaction import without_secrets
from shopmill.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from shopmill.registry.notices import Kind, Notice, NoticeBoard
    from shopmill.run.checks import Result
    from shopmill.run.published import Published

NUMBERED = re.compile(r"\S*\d\S*")
"""What differs between two failures of the same cause: counts, times, ids."""
SETTLING_SECONDS = 5
"""A task notes why it failed after Airflow knows that it did: the end of a run may be reported before the last note is there."""
UNKNOWN = "it ended without a word: its process was killed or lost"

log = logging.getLogger(__name__)


def note_failure(context: "Context") -> None:
    """Notes why a task failed. A DAG has it as `default_args={"on_failure_callback": note_failure}`."""
    task = context["ti"]
    try:
        _board(_settings()).note_failed_task(
            f"{task.dag_id}.{task.run_id}", task.task_id, failed_task(context).document()
        )
    except Exception as error:
        log.warning("Why %s failed was not noted: %s", task.task_id, without_secrets(str(error)))


def failed_task(context: "Context") -> FailedTask:
    """What a failed task's context says. A task that was killed leaves no exception."""
    task, exception = context["ti"], context.get("exception")
    results = getattr(exception, "failures", ())
    kind = type(exception).__name__ if exception is not None else ""
    error = str(exception or "").strip() or kind or UNKNOWN
    if results:
        error = f"{len(results)} of its checks failed, so nothing was published"
    checks = sorted(f"{result.table} {result.name}" for result in results)
    return FailedTask(
        task=task.task_id,
        error=error,
        cause=" ".join((task.task_id, kind, *(checks or [NUMBERED.sub("#", one_line(error))]))),
        as_of=as_of_in(context),
        failed_checks=tuple(_in_table(result) for result in results),
        log_url=getattr(task, "log_url", None),
    )


def _in_table(result: "Result") -> str:
    said = result.sentence()
    return f"{result.table}: {said}" if result.table not in {"", result.name} else said


def announce_failure(context: "Context") -> None:
    """Reports what failed in a run, when the run has ended. A DAG has it as its own `on_failure_callback`."""
    dag_id, run_id = context["dag"].dag_id, str(context["run_id"])
    settings = _settings()
    time.sleep(SETTLING_SECONDS)
    tasks = _failed_tasks(settings, f"{dag_id}.{run_id}") or (_last_task(context),)
    run = _outcome(dag_id, run_id, next((task.as_of for task in tasks if task.as_of), None) or as_of_in(context))
    notice = _note(settings, run, "failed", "; ".join(sorted(task.cause for task in tasks)))
    metrics.begin()
    metrics.send(dag_id, "failures_in_a_row", notice.times)
    again = timedelta(hours=settings.notify_again_hours)
    _notify(settings, run, notice, failure_message(run, tasks, notice, again))


def announce_upkeep_failure(context: "Context") -> None:
    """Reports that a task of a DAG of upkeep failed. Such a DAG has it as the `on_failure_callback` of its tasks."""
    task, exception = context["ti"], context.get("exception")
    run = _outcome(task.dag_id, str(task.run_id), None)
    found = tuple(getattr(exception, "sentences", ())) or (str(exception or "").strip() or UNKNOWN,)
    deliver(upkeep_message(run, found, getattr(task, "log_url", None)))


def announce_success(context: "Context", published: "Published") -> None:
    """Reports that a version was published."""
    task, settings = context["ti"], _settings()
    run = _outcome(task.dag_id, task.run_id, published.as_of)
    notice = _note(settings, run, "published", "; ".join(sorted(published.warned)))
    _notify(settings, run, notice, success_message(run, published, notice))
    metrics.send(task.dag_id, "failures_in_a_row", notice.times if notice.kind == "failed" else 0)


async def announce_late(context: dict[str, Any]) -> None:
    """Reports that a run has missed its deadline. Airflow's triggerer calls it."""
    await asyncio.to_thread(_announce_late, context)


def _announce_late(context: dict[str, Any]) -> None:
    late, settings = context["dag_run"], _settings()
    as_of = (late["conf"] or {}).get("as_of") or late["partition_key"]
    run = _outcome(late["dag_id"], late["dag_run_id"], as_of)
    due = datetime.fromisoformat(str(context["deadline"]["deadline_time"])).astimezone(UTC)
    promise = due - datetime.fromisoformat(late["queued_at"])
    notice = _note(settings, run, "late", "")
    _notify(settings, run, notice, late_message(run, f"{due:%Y-%m-%d %H:%M} UTC", promise))


def as_of_in(context: "Context") -> str | None:
    """The run's as_of: as the task had it, else its parameter, else its partition key."""
    rendered = str(getattr(context.get("task"), "as_of", None) or "")
    given = "" if "{" in rendered else rendered
    found = given or (context.get("params") or {}).get("as_of") or context.get("partition_key")
    return str(found) if found else None


def _notify(settings: Settings, run: Outcome, notice: "Notice", message: Message) -> None:
    if not notice.is_due:
        log.info("Not reported again: %s. People know it since %s.", message.subject, notice.since)
    elif deliver(message):
        try:
            _board(settings).notified(run.dataset)
        except Exception as error:
            log.warning("It was not recorded that people were notified: %s", without_secrets(str(error)))


def _note(settings: Settings, run: Outcome, kind: "Kind", news: str) -> "Notice":
    from shopmill.registry.notices import Notice

    try:
        instant = AsOf.parse(run.as_of, settings.zone).instant if run.as_of else None
        return _board(settings).note(run.dataset, kind, news, instant)
    except Exception as error:
        log.warning("Whether it was reported before is not known: %s", without_secrets(str(error)))
        return Notice(is_due=True, kind=kind, times=1, since=datetime.now(UTC))


def _failed_tasks(settings: Settings, run_id: str) -> tuple[FailedTask, ...]:
    try:
        return tuple(FailedTask.from_document(noted) for noted in _board(settings).take_failed_tasks(run_id))
    except Exception as error:
        log.warning("Why tasks failed is not known: %s", without_secrets(str(error)))
        return ()


def _last_task(context: "Context") -> FailedTask:
    task = context.get("ti")
    name = str(getattr(task, "task_id", "an unknown task"))
    return FailedTask(name, UNKNOWN, name, log_url=getattr(task, "log_url", None))


def _outcome(dag_id: str, run_id: str, as_of: str | None) -> Outcome:
    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080/").rstrip("/")
    return Outcome(dag_id, _owner(dag_id), as_of, f"{base}/dags/{dag_id}/runs/{quote(run_id)}")


def _owner(dataset: str) -> str:
    try:
        return datasets.load(dataset).owner
    except InvalidInputError:
        return ""


def _settings() -> Settings:
    from shopmill.airflow.connections import airflow_settings

    return airflow_settings()


def _board(settings: Settings) -> "NoticeBoard":
    from shopmill.registry import Registry
    from shopmill.registry.notices import NoticeBoard

    dsn = settings.registry_dsn.get_secret_value()
    return NoticeBoard(Registry(dsn), timedelta(hours=settings.notify_again_hours))
