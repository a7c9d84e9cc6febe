"""What an announcement says: pure functions from facts to a subject, plain text, Slack markup and an HTML e-mail."""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

_MAX_LINE = 500
_RED, _GREEN, _AMBER = "#b42318", "#067647", "#b54708"
_SECRETS = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), r"\1:***@"),  # a password in an address
    (
        re.compile(r"""(?i)\b(password|secret|token|api_?key)(['"]?\s*[=:]\s*)(?:'[^']*'|"[^"]*"|[^\s,;&]+)"""),
        r"\1\2***",
    ),
    (re.compile(r"(https://hooks\.slack\.com/services)/\S+"), r"\1/***"),
)


@dataclass(frozen=True)
class Failure:
    """A run that failed. `as_of` is None where the run had none; `failed_checks` are sentences with counts."""

    dataset: str
    as_of: str | None
    task: str
    error: str
    failed_checks: tuple[str, ...] = ()
    log_url: str | None = None


@dataclass(frozen=True)
class Success:
    """A run that published a version, or found that it is the one already there. `bytes` is the size of its files."""

    dataset: str
    as_of: str | None
    version: str
    rows: int
    rejected: int
    bytes: int
    warnings: tuple[str, ...] = ()
    log_url: str | None = None


@dataclass(frozen=True)
class Message:
    """One announcement in the forms that the sinks want."""

    subject: str
    text: str
    slack: str
    html: str


@dataclass(frozen=True)
class _Sheet:
    """What every form of a message shows, in this order."""

    headline: str
    colour: str
    facts: tuple[tuple[str, str], ...]
    listed: tuple[str, tuple[str, ...]]
    command: str | None
    log_url: str | None


def failure_message(failure: Failure) -> Message:
    """Tells what failed and how to run it again."""
    command = f"shopmill run {shlex.quote(failure.dataset)}"
    if failure.as_of:
        command += f" --as-of {shlex.quote(failure.as_of)}"
    facts = _facts(failure.dataset, failure.as_of, Task=failure.task, Error=one_line(failure.error))
    listed = ("Failed checks", tuple(one_line(check) for check in failure.failed_checks))
    headline = f"{failure.dataset} failed in {failure.task}"
    sheet = _Sheet(headline, _RED, facts, listed, command, failure.log_url)
    return _message(f"[shopmill] {_about(failure.dataset, failure.as_of)} failed in {failure.task}", sheet)


def success_message(success: Success) -> Message:
    """Tells what was published, and the checks that only warn."""
    facts = _facts(
        success.dataset,
        success.as_of,
        Version=success.version,
        Rows=f"{success.rows:,}",
        Rejected=f"{success.rejected:,}",
        Size=human_size(success.bytes),
    )
    warnings = tuple(one_line(warning) for warning in success.warnings)
    ending = f" with {len(warnings)} warning{'s' if len(warnings) > 1 else ''}" if warnings else ""
    colour = _AMBER if warnings else _GREEN
    sheet = _Sheet(f"{success.dataset} published{ending}", colour, facts, ("Warnings", warnings), None, success.log_url)
    return _message(f"[shopmill] {_about(success.dataset, success.as_of)} published{ending}", sheet)


def one_line(text: str) -> str:
    """The first line that says something, without secrets and not too long."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason was recorded")
    safe = without_secrets(first)
    return safe if len(safe) <= _MAX_LINE else safe[: _MAX_LINE - 1] + "…"


def without_secrets(text: str) -> str:
    """The text without passwords in addresses, `password=…` and the like."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def human_size(size: int) -> str:
    """A number of bytes in the unit that people would choose."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _about(dataset: str, as_of: str | None) -> str:
    return f"{dataset} as of {as_of}" if as_of else dataset


def _facts(dataset: str, as_of: str | None, **more: str) -> tuple[tuple[str, str], ...]:
    known = {"Dataset": dataset, "As of": as_of or "not given", **more}
    return tuple(known.items())


def _message(subject: str, sheet: _Sheet) -> Message:
    return Message(one_line(subject), _text(sheet), _slack(sheet), _html(sheet))


def _text(sheet: _Sheet) -> str:
    width = max(len(name) for name, _ in sheet.facts) + 2
    lines = [sheet.headline, "", *(f"{name + ':':{width}}{value}" for name, value in sheet.facts)]
    lines += _section(sheet, bullet=lambda line: f"  - {line}")
    lines += ["", "Run it again:", f"  {sheet.command}"] if sheet.command else []
    lines += ["", f"Log: {sheet.log_url}"] if sheet.log_url else []
    return "\n".join(lines) + "\n"


def _slack(sheet: _Sheet) -> str:
    lines = [f"*{_slack_escape(sheet.headline)}*"]
    lines += [f"{name}: {_slack_escape(value)}" for name, value in sheet.facts]
    lines += _section(sheet, bullet=lambda line: f"• {_slack_escape(line)}")[1:]
    lines += [f"Run it again: `{_slack_escape(sheet.command)}`"] if sheet.command else []
    lines += [f"<{sheet.log_url}|Log>"] if sheet.log_url else []
    return "\n".join(lines)


def _section(sheet: _Sheet, bullet: Callable[[str], str]) -> list[str]:
    title, items = sheet.listed
    return ["", f"{title}:", *map(bullet, items)] if items else []


def _slack_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _html(sheet: _Sheet) -> str:
    """Tables and inline styles only: that is what mail programs agree on."""
    cell = 'style="padding:4px 16px 4px 0;vertical-align:top;color:{}"'
    rows = "".join(
        f"<tr><td {cell.format('#667085')}>{escape(name)}</td><td {cell.format('#101828')}>{escape(value)}</td></tr>"
        for name, value in sheet.facts
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>'
        + escape(sheet.headline)
        + "</title></head>"
        '<body style="margin:0;padding:24px;background:#f2f4f7;font:15px/1.5 Helvetica,Arial,sans-serif">'
        '<table role="presentation" width="100%" cellspacing="0" cellpadding="0"><tr><td align="center">'
        '<table role="presentation" width="600" cellspacing="0" cellpadding="0" style="max-width:600px;width:100%;'
        f'background:#ffffff;border-top:4px solid {sheet.colour}"><tr><td style="padding:24px">'
        f'<h1 style="margin:0 0 16px;font-size:20px;color:{sheet.colour}">{escape(sheet.headline)}</h1>'
        f'<table role="presentation" cellspacing="0" cellpadding="0">{rows}</table>'
        + "".join(_html_rest(sheet))
        + "</td></tr></table></td></tr></table></body></html>"
    )


def _html_rest(sheet: _Sheet) -> Iterable[str]:
    title, items = sheet.listed
    if items:
        yield _html_list(title, items)
    if sheet.command:
        box = "margin:4px 0 0;padding:12px;background:#101828;color:#ffffff;white-space:pre-wrap;font:13px monospace"
        yield f'<p style="margin:16px 0 0">Run it again:</p><pre style="{box}">{escape(sheet.command)}</pre>'
    if sheet.log_url:
        yield f'<p style="margin:16px 0 0"><a href="{escape(sheet.log_url)}" style="color:#175cd3">Open the log</a></p>'


def _html_list(title: str, items: Sequence[str]) -> str:
    entries = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<p style="margin:16px 0 0">{escape(title)}:</p><ul style="margin:4px 0 0;padding-left:20px">{entries}</ul>'
