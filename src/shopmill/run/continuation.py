"""From which day on a run differs from the version before: what lets it compute new days only."""

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from shopmill.asof import AsOf
from shopmill.declaration import Incremental
from shopmill.errors import DamagedError
from shopmill.run.content import describe_making
from shopmill.run.run import Run
from shopmill.source.snapshot import Snapshot
from shopmill.versions.manifest import Manifest

log = logging.getLogger(__name__)


def first_changed_day(run: Run, previous: Manifest) -> date:
    """The first day whose raw rows are not those of the version before; date.min where nothing can be taken from it."""
    incremental = run.dataset.incremental
    if incremental is None or not _made_alike(run, previous):
        return date.min
    changed = [AsOf.parse(previous.as_of, run.settings.zone).day(run.settings.zone)]
    for name in incremental.facts:
        try:
            before = snapshot_of(run, previous, name).days
        except (FileNotFoundError, DamagedError) as error:
            log.warning("Everything is computed: what the previous version read of %s is not known. %s", name, error)
            return date.min
        changed += [date.fromisoformat(day) for day in _different(before, run.inputs[name].days) if day[:1].isdigit()]
    return min(changed)


def first_computed_day(run: Run, previous: Manifest, changed: date) -> date:
    """The day from which on tables are computed, at the start of its period; date.min for all of them."""
    incremental = run.dataset.incremental
    if incremental is None or changed == date.min:
        return date.min
    continued = AsOf.parse(previous.as_of, run.settings.zone).day(run.settings.zone)
    settled = continued - timedelta(days=incremental.settling_days(run.parameters))
    return start_of_period(min(changed - timedelta(days=incremental.reach_days), settled), incremental)


def snapshot_of(run: Run, previous: Manifest, table: str) -> Snapshot:
    """What an earlier version read of one source table."""
    return Snapshot.from_document(run.store.read_json(previous.beside["snapshots"][table]["key"]))


def _made_alike(run: Run, previous: Manifest) -> bool:
    now: Mapping[str, Any] = describe_making(run)
    return all(previous.content.get(name) == value for name, value in now.items())


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {day for day in before.keys() | after.keys() if before.get(day) != after.get(day)}


def start_of_period(day: date, incremental: Incremental) -> date:
    """The first day of the period that `day` is in; weeks begin on Monday."""
    if incremental.period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if incremental.period == "week" else day
