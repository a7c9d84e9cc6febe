"""What an announcement says: pure functions from facts to a message."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shopmill.airflow.message_forms import AMBER, GREEN, RED, Message, Sheet, one_line
from shopmill.declaration import spoken

if TYPE_CHECKING:
    from shopmill.registry.notices import Notice
    from shopmill.run.published import Published


MOST_FOUND = 20
ENDED = {"failed": "has recovered", "late": "was late, and is published"}


@dataclass(frozen=True)
class FailedTask:
    """Why a task failed; `failed_checks` are sentences with counts and examples, `cause` what makes two failures alike."""

    task: str
    error: str
    cause: str = ""
    as_of: str | None = None
    failed_checks: tuple[str, ...] = ()
    log_url: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "FailedTask":
        """The reverse of `document`."""
        return cls(**{**document, "failed_checks": tuple(document["failed_checks"])})

    def document(self) -> dict[str, Any]:
        """As JSON, without secrets."""
        checks = [one_line(check) for check in self.failed_checks]
        return {**asdict(self), "error": one_line(self.error), "failed_checks": checks}


@dataclass(frozen=True)
class Outcome:
    """A run that people are notified of. `as_of` is None where the run had none; `url` is its page."""

    dataset: str
    owner: str
    as_of: str | None
    url: str | None = None


def failure_message(run: Outcome, tasks: tuple[FailedTask, ...], notice: "Notice", again: timedelta) -> Message:
    """One message about what failed in a run and how to fix it. `again` is how long the same is not reported again."""
    names = ", ".join(task.task for task in tasks)
    more = {"Failures": f"{notice.times} runs in a row since {notice.since:%Y-%m-%d %H:%M} UTC"}
    return Sheet(
        subject=f"{_about(run)} failed in {names}",
        headline=f"{run.dataset} failed in {names}",
        colour=RED,
        facts=_facts(run, **(more if notice.times > 1 else {})),
        lists=(
            ("What failed", tuple(f"{task.task}: {one_line(task.error)}" for task in tasks)),
            ("Failed checks", tuple(check for task in tasks for check in task.failed_checks)),
        ),
        command=_command(run),
        links=tuple((f"Log of {task.task}", task.log_url) for task in tasks if task.log_url),
        note=f"The previous version stays current. While it fails like this, you are notified again after {spoken(again)}.",
    ).message()


def upkeep_message(run: Outcome, found: tuple[str, ...], log_url: str | None) -> Message:
    """Says what a DAG of upkeep found, or why it failed."""
    more = len(found) - MOST_FOUND
    rest = (f"and {more} more: the log has them",) if more > 0 else ()
    return Sheet(
        subject=f"{run.dataset} failed: {len(found)} differences" if len(found) > 1 else f"{run.dataset} failed",
        headline=f"{run.dataset} failed",
        colour=RED,
        facts=(("DAG", run.dataset),),
        lists=(("What it found", (*found[:MOST_FOUND], *rest)),),
        links=(*_page(run), *((("Log", log_url),) if log_url else ())),
        note="No version was changed.",
    ).message()


def late_message(run: Outcome, due: str, promise: timedelta) -> Message:
    """Says that a run has not published in time and still goes on."""
    return Sheet(
        subject=f"{_about(run)} is late",
        headline=f"{run.dataset} is late",
        colour=AMBER,
        facts=_facts(run, Promise=f"published within {spoken(promise)} of being queued", Due=due),
        lists=(("What to look at", ("the run has not ended: see which task is waiting or slow, and its log",)),),
        links=_page(run),
        note="The previous version stays current. You are notified when the run ends.",
    ).message()


def success_message(run: Outcome, published: "Published", notice: "Notice | None" = None) -> Message:
    """Says what was published, and the checks that only warn; after a bad time, that it is over."""
    warnings = published.warned
    ended = notice.recovered_from if notice else None
    what = ENDED[ended.kind] if ended else published.status
    ending = f" with {len(warnings)} warning{'s' if len(warnings) > 1 else ''}" if warnings else ""
    facts = {
        "Version": published.version,
        "Rows": f"{published.rows:,}",
        "Rejected": f"{published.rejected:,}",
        "Size": human_size(published.bytes),
    }
    if ended and ended.kind == "failed":
        runs = f"{ended.times} runs" if ended.times > 1 else "one run"
        facts["Failed"] = f"{runs} since {ended.since:%Y-%m-%d %H:%M} UTC"
    return Sheet(
        subject=f"{_about(run)} {what}{ending}",
        headline=f"{run.dataset} {what}{ending}",
        colour=AMBER if warnings else GREEN,
        facts=_facts(run, **facts),
        lists=(("Warnings", warnings), ("Rows of the source", published.accounts)),
        links=_page(run),
    ).message()


def human_size(size: int) -> str:
    """A number of bytes in the unit that people would choose."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _about(run: Outcome) -> str:
    return f"{run.dataset} as of {run.as_of}" if run.as_of else run.dataset


def _facts(run: Outcome, **more: str) -> tuple[tuple[str, str], ...]:
    known = {"Dataset": run.dataset, "Owner": run.owner, "As of": run.as_of or "not given", **more}
    return tuple((name, value) for name, value in known.items() if value)


def _page(run: Outcome) -> tuple[tuple[str, str], ...]:
    return (("The run in Airflow", run.url),) if run.url else ()


def _command(run: Outcome) -> str:
    command = f"shopmill run {shlex.quote(run.dataset)}"
    return f"{command} --as-of {shlex.quote(run.as_of)}" if run.as_of else command
