"""One announcement in the forms that its readers want: plain text, Slack markup and an HTML e-mail, without secrets."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from shopmill.redaction import without_secrets

RED, GREEN, AMBER = "#b42318", "#067647", "#b54708"
_MAX_LINE = 500


@dataclass(frozen=True)
class Message:
    """One announcement in the forms that the sinks want."""

    subject: str
    text: str
    slack: str
    html: str


@dataclass(frozen=True)
class Sheet:
    """What every form of a message shows, in this order. `links` are (label, address)."""

    subject: str
    headline: str
    colour: str
    facts: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    command: str | None = None
    links: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def message(self) -> Message:
        """All forms."""
        return Message(one_line(f"[shopmill] {self.subject}"), _text(self), _slack(self), _html(self))

    @property
    def sections(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """The lists that have something in them, each item on one line."""
        return [(title, tuple(map(one_line, items))) for title, items in self.lists if items]


def one_line(text: str) -> str:
    """The first line that says something, without secrets and not too long."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason was recorded")
    safe = without_secrets(first)
    return safe if len(safe) <= _MAX_LINE else safe[: _MAX_LINE - 1] + "…"


def _text(sheet: Sheet) -> str:
    width = max(len(name) for name, _ in sheet.facts) + 2
    lines = [sheet.headline, "", *(f"{name + ':':{width}}{value}" for name, value in sheet.facts)]
    for title, items in sheet.sections:
        lines += ["", f"{title}:", *(f"  - {item}" for item in items)]
    lines += ["", "When it is fixed, run it again:", f"  {sheet.command}"] if sheet.command else []
    lines += ["", *(f"{label}: {address}" for label, address in sheet.links)] if sheet.links else []
    lines += ["", sheet.note] if sheet.note else []
    return "\n".join(lines) + "\n"


def _slack(sheet: Sheet) -> str:
    """Bold titles and blank lines separate the parts: Slack has neither tables nor headings."""
    facts = [f"{name}: {_slack_escape(value)}" for name, value in sheet.facts]
    parts = [[f"*{_slack_escape(sheet.headline)}*", *facts]]
    parts += [[f"*{title}*", *(f"• {_slack_escape(item)}" for item in items)] for title, items in sheet.sections]
    parts += [["*When it is fixed, run it again*", f"`{_slack_escape(sheet.command)}`"]] if sheet.command else []
    parts += [[f"<{address}|{_slack_escape(label)}>" for label, address in sheet.links]] if sheet.links else []
    parts += [[f"_{_slack_escape(sheet.note)}_"]] if sheet.note else []
    return "\n\n".join("\n".join(lines) for lines in parts)


def _slack_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_CELL = 'style="padding:4px 16px 4px 0;vertical-align:top;color:{}"'
_HEADING = 'style="margin:20px 0 4px;font-weight:bold"'
_CODE = (
    "margin:4px 0 0;padding:12px;background:#f2f4f7;color:#101828;white-space:pre-wrap;word-break:break-word;"
    "font:13px/1.5 Menlo,Consolas,monospace"
)


def _html(sheet: Sheet) -> str:
    """Tables and inline styles only: that is what mail programs agree on."""
    rows = "".join(
        f"<tr><td {_CELL.format('#667085')}>{escape(name)}</td><td {_CELL.format('#101828')}>{escape(value)}</td></tr>"
        for name, value in sheet.facts
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>' + escape(sheet.headline) + "</title></head>"
        '<body style="margin:0;padding:24px;background:#f2f4f7;color:#101828;font:15px/1.5 Helvetica,Arial,sans-serif">'
        '<table role="presentation" width="100%" cellspacing="0" cellpadding="0"><tr><td align="center">'
        '<table role="presentation" width="600" cellspacing="0" cellpadding="0" style="max-width:600px;width:100%;'
        f'text-align:left;background:#ffffff;border-top:4px solid {sheet.colour}"><tr><td style="padding:24px">'
        f'<h1 style="margin:0 0 16px;font-size:20px;color:{sheet.colour}">{escape(sheet.headline)}</h1>'
        f'<table role="presentation" cellspacing="0" cellpadding="0">{rows}</table>'
        + "".join(_html_rest(sheet))
        + "</td></tr></table></td></tr></table></body></html>"
    )


def _html_rest(sheet: Sheet) -> Iterable[str]:
    for title, items in sheet.sections:
        entries = "".join(f'<li style="margin:0 0 4px;word-break:break-word">{escape(item)}</li>' for item in items)
        yield f'<p {_HEADING}>{escape(title)}</p><ul style="margin:0;padding-left:20px">{entries}</ul>'
    if sheet.command:
        yield f'<p {_HEADING}>When it is fixed, run it again</p><pre style="{_CODE}">{escape(sheet.command)}</pre>'
    for label, address in sheet.links:
        style = "color:#175cd3;font-weight:bold"
        yield f'<p style="margin:16px 0 0"><a href="{escape(address)}" style="{style}">{escape(label)}</a></p>'
    if sheet.note:
        yield f'<p style="margin:20px 0 0;font-size:13px;color:#667085">{escape(sheet.note)}</p>'
