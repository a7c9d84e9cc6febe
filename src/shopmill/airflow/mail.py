"""The SMTP provider's notifier with plain text beside the HTML, which it cannot do by itself."""

from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import cached_property
from typing import Any

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier


class TextAndHtmlNotifier(SmtpNotifier):
    """Sends an e-mail of which the reader's program shows the HTML or, where it cannot, `text`."""

    def __init__(self, *, text: str, **options: Any) -> None:
        super().__init__(**options, mime_subtype="alternative")
        self.text = text

    @cached_property
    def hook(self) -> SmtpHook:
        """The connection's hook."""
        return _TextAndHtmlHook(self.text, self.smtp_conn_id)


class _TextAndHtmlHook(SmtpHook):
    def __init__(self, text: str, connection_id: str) -> None:
        super().__init__(connection_id)
        self._text = text

    def _build_mime_message(self, *arguments: Any, **options: Any) -> tuple[MIMEMultipart, list[str]]:
        message, recipients = super()._build_mime_message(*arguments, **options)
        text = MIMEText(self._text, "plain", options.get("mime_charset", "utf-8"))
        message.set_payload([text, *message.get_payload()])  # the last alternative is the preferred one
        return message, recipients
