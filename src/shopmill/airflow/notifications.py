"""Tells people how a run went, through Slack and e-mail, where the connections for them exist.

    shopmill_slack   Slack Incoming Webhook: the webhook's address as password
    shopmill_smtp    SMTP, with `from_email` in its extra, and the recipients as `to` (or SHOPMILL_NOTIFY_EMAIL)

Without a connection nothing is sent; a sink that does not answer is a warning in the log. Neither fails a run.
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shopmill.airflow.messages import Failure, Message, Success, failure_message, success_message, without_secrets

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context

SLACK = "shopmill_slack"
SMTP = "shopmill_smtp"
_TIMEOUT_SECONDS = 10

log = logging.getLogger(__name__)


def announce_failure(context: "Context") -> None:
    """Announces a failed task. Give it to a DAG as `default_args={"on_failure_callback": announce_failure}`."""
    _announce(failure_message(failure_of(context)), context)


def announce_success(context: "Context", summary: Mapping[str, Any]) -> None:
    """Announces a published version, from `summary` with version, rows, rejected, bytes, warned."""
    _announce(success_message(success_of(context, summary)), context)


def failure_of(context: "Context") -> Failure:
    """What a failed task's context tells. A task that was killed leaves no exception."""
    task = context["ti"]
    exception = context.get("exception")
    return Failure(
        dataset=task.dag_id,
        as_of=as_of_in(context),
        task=task.task_id,
        error=str(exception or "").strip() or _kind(exception),
        failed_checks=tuple(result.sentence() for result in getattr(exception, "failures", ())),
        log_url=getattr(task, "log_url", None),
    )


def success_of(context: "Context", summary: Mapping[str, Any]) -> Success:
    """What a run's summary and its last task's context tell."""
    return Success(
        dataset=str(summary.get("dataset") or context["ti"].dag_id),
        as_of=str(summary.get("as_of") or as_of_in(context) or "") or None,
        version=str(summary["version"]),
        rows=int(summary["rows"]),
        rejected=int(summary.get("rejected", 0)),
        bytes=int(summary.get("bytes", 0)),
        warnings=tuple(summary.get("warned", ())),
        log_url=getattr(context["ti"], "log_url", None),
    )


def as_of_in(context: "Context") -> str | None:
    """The run's as_of: its parameter, else its partition key."""
    found = (context.get("params") or {}).get("as_of") or context.get("partition_key")
    return str(found) if found else None


def _announce(message: Message, context: "Context") -> None:
    _send(SLACK, lambda connection: _to_slack(message, connection, context))
    _send(SMTP, lambda connection: _to_mailbox(message, connection, context))


def _send(connection_id: str, send: "Callable[[Connection], None]") -> None:
    connection = _connection(connection_id)
    if connection is None:
        return
    try:
        send(connection)
    except Exception as error:
        log.warning("No message went to %s: %s: %s", connection_id, _kind(error), without_secrets(str(error)))


def _connection(connection_id: str) -> "Connection | None":
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return found


def _to_slack(message: Message, _: "Connection", context: "Context") -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    notifier = SlackWebhookNotifier(slack_webhook_conn_id=SLACK, text=message.slack, timeout=_TIMEOUT_SECONDS)
    # Called directly, a notifier renders no templates: a brace in an error must not read a variable or connection.
    notifier.notify(context)  # type: ignore[no-untyped-call]


def _to_mailbox(message: Message, connection: "Connection", context: "Context") -> None:
    from shopmill.airflow.mail import TextAndHtmlNotifier

    recipients = connection.extra_dejson.get("to") or os.environ.get("SHOPMILL_NOTIFY_EMAIL")
    if not recipients:
        log.warning("No message went to %s: give recipients as `to` in its extra, or SHOPMILL_NOTIFY_EMAIL.", SMTP)
        return
    TextAndHtmlNotifier(
        to=recipients, subject=message.subject, html_content=message.html, text=message.text, smtp_conn_id=SMTP
    ).notify(context)


def _kind(error: object) -> str:
    return type(error).__name__ if error is not None else "no reason was recorded: the task was killed or lost"
