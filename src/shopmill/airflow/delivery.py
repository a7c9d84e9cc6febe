"""Brings a message to Slack and into mailboxes, where the connections for them exist.

    shopmill_slack   Slack Incoming Webhook: the webhook's address as password
    shopmill_smtp    SMTP, with `from_email` in its extra, and the recipients as `to` (or SHOPMILL_NOTIFY_EMAIL)

Without a connection nothing is sent; a sink that does not answer is a warning in the log. Neither fails a run.
"""

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from shopmill.airflow.message_forms import Message
from shopmill.errors import InvalidInputError
from shopmill.redaction import without_secrets

if TYPE_CHECKING:
    from airflow.sdk import Connection

SLACK = "shopmill_slack"
SMTP = "shopmill_smtp"
_TIMEOUT_SECONDS = 10

log = logging.getLogger(__name__)


def deliver(message: Message) -> bool:
    """Sends a message to every sink there is; says whether none of them failed."""
    to_slack = _send(SLACK, lambda _: _to_slack(message))
    to_mailbox = _send(SMTP, lambda connection: _to_mailbox(message, connection))
    return to_slack and to_mailbox


def _send(connection_id: str, send: "Callable[[Connection], None]") -> bool:
    connection = _connection(connection_id)
    if connection is None:
        return True
    try:
        send(connection)
    except Exception as error:
        reason = without_secrets(str(error))
        log.warning("No message went to %s: %s: %s", connection_id, type(error).__name__, reason)
        return False
    return True


def _connection(connection_id: str) -> "Connection | None":
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return found


def _to_slack(message: Message) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    notifier = SlackWebhookNotifier(slack_webhook_conn_id=SLACK, text=message.slack, timeout=_TIMEOUT_SECONDS)
    # Called directly, a notifier renders no templates: a brace in an error must not read a variable or connection.
    notifier.notify({})  # type: ignore[no-untyped-call]


def _to_mailbox(message: Message, connection: "Connection") -> None:
    from shopmill.airflow.mail import TextAndHtmlNotifier

    recipients = connection.extra_dejson.get("to") or os.environ.get("SHOPMILL_NOTIFY_EMAIL")
    if not recipients:
        raise InvalidInputError("Give recipients as `to` in the extra of the connection, or as SHOPMILL_NOTIFY_EMAIL.")
    TextAndHtmlNotifier(
        to=recipients, subject=message.subject, html_content=message.html, text=message.text, smtp_conn_id=SMTP
    ).notify({})
