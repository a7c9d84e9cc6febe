"""Runs of a soak: those to which a fault happens, those that must end, and those that fill gaps."""

import random
from datetime import UTC, datetime, timedelta

from faulty import Fault, Kind, Running
from shopmill import datasets
from shopmill.errors import ShopmillError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.trust.backfill import Backfill
from soak.report import SoakError
from soak.soaked import Soaked, lenient
from soak.whole import nothing_lost

CHANGES = (0, 1, 2, 3, 5, 8, 13, 21, 99)
"""Before which change of its step a fault happens; after the last where there are fewer."""


def run(soaked: Soaked, dataset: str, as_of: str, refresh: bool = False) -> None:
    """A run without a fault: it must end, or say in a sentence why it cannot."""
    asked = Run.create(datasets.load(dataset), as_of, soaked.settings, lenient(dataset), refresh=refresh)
    try:
        made = steps.run_all(asked)
    except ShopmillError as error:
        soaked.note(f"{dataset} {as_of}: refused: {error}")
        if not soaked.may_refuse(str(error)):
            raise
        return
    soaked.note(f"{dataset} {as_of}: {made.status} {made.version}")
    soaked.published[dataset, as_of] = made.version
    nothing_lost(soaked, dataset)


def faulty_run(soaked: Soaked, dataset: str, as_of: str, fault: Fault) -> None:
    """A run to which a fault happens: whatever comes of it, nothing is lost."""
    before = soaked.current(dataset)
    work = soaked.begin(Running(dataset, as_of, lenient(dataset), f"soak-{soaked.works}"), fault)
    outcome = work.end()
    soaked.note(f"{dataset}: {fault.kind} in {fault.step} at change {fault.at} -> {outcome}")
    soaked.report.faults[fault.kind] += work.happened
    nothing_lost(soaked, dataset)
    now = soaked.current(dataset)
    if before and (now is None or now < before):
        raise SoakError(f"{dataset}: the current version went back from {before} to {now}")


def by_chance(dataset: str, dice: random.Random, kinds: tuple[Kind, ...], step: str = "") -> Fault:
    """A fault, in any step unless one is given."""
    rarely = [0.3 if kind.endswith("silent") else 1.0 for kind in kinds]  # seconds are waited for these
    declared, [kind] = datasets.load(dataset), dice.choices(kinds, rarely)
    extracts = list(declared.extracts)
    ordered = [*extracts, *(task.name for task in declared.tasks), "check", "publish", "register"]
    chosen = step or dice.choice(extracts if kind.startswith("source") else ordered)
    return Fault(kind, chosen, dice.choice(CHANGES))


def backfill(soaked: Soaked, dataset: str) -> None:
    """Runs what is missing, stale or failed."""
    last = soaked.last
    now = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(hours=12)
    known = sorted(as_of for name, as_of in soaked.published if name == dataset)
    if not known:
        return
    reasons = frozenset({"missing", "stale", "failed"})
    asked = Backfill(datasets.load(dataset), soaked.settings, now, reasons, known[0], str(last), lenient(dataset))
    due = [one for one in asked.due() if (dataset, one.as_of) not in soaked.withdrawn]
    for done in asked.run(due, lambda _due, _number: lambda _step: None):
        soaked.note(f"backfill of {dataset} {done.as_of}: {done.status} {done.version} {done.error}")
        if done.version:
            soaked.published[dataset, done.as_of] = done.version
        elif not soaked.may_refuse(done.error):
            raise SoakError(f"backfill of {dataset} {done.as_of}: {done.error}")
