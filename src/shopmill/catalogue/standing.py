"""How a dataset stands: fresh, late, failing, or not published yet. For the catalogue and for `shopmill status`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shopmill.asof import AsOf
from shopmill.catalogue.reader import Reader, RunRow
from shopmill.catalogue.summaries import VersionSummary
from shopmill.declaration import spoken

State = Literal["fresh", "late", "failing", "empty", "on demand"]
"""Without schedules nobody promised anything: a version is as old as people leave it."""
FAILURES = ("failed", "blocked")


@dataclass(frozen=True)
class Standing:
    """One dataset: its current version, its last run, and until when it keeps its promise."""

    dataset: str
    title: str
    state: State
    current: VersionSummary | None
    last_run: RunRow | None
    age: timedelta | None
    promised: timedelta | None
    due: datetime | None
    running: bool

    @property
    def spoken_age(self) -> str:
        """The age in days and hours."""
        return coarse(self.age) if self.age is not None else ""

    @property
    def spoken_promise(self) -> str:
        """The promised age."""
        return spoken(self.promised) if self.promised else ""


def coarse(span: timedelta) -> str:
    """A time span in its two largest units at most."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days > 2:  # noqa: PLR2004 (beyond two days nobody counts hours)
        return f"{days:,} days"
    return spoken(timedelta(minutes=minutes - minutes % 60 if days or hours > 2 else minutes)) or "just now"  # noqa: PLR2004


def standing(reader: Reader, name: str) -> Standing:
    """How one dataset stands now."""
    declared, current = reader.declared(name), reader.history(name).newest
    runs = reader.runs_of(name)
    ended = next((run for run in runs if run.status != "running"), None)
    instant = AsOf.parse(current.as_of, reader.settings.zone).instant if current else None
    age = reader.age(instant) if instant else None
    promised = declared.promise.age if declared else None
    return Standing(
        dataset=name,
        title=declared.title if declared else name,
        state=_state(current, ended, age, promised if reader.settings.schedules else None),
        current=current,
        last_run=ended,
        age=age,
        promised=promised,
        due=instant + promised if instant and promised else None,
        running=any(run.status == "running" for run in runs[:3]),
    )


def _state(
    current: VersionSummary | None, ended: RunRow | None, age: timedelta | None, promised: timedelta | None
) -> State:
    if ended and ended.status in FAILURES:
        return "failing"
    if current is None or age is None:
        return "empty"
    if promised is None:
        return "on demand"
    return "late" if age > promised else "fresh"
