"""`shopmill backfill`: finds the as_ofs whose versions are missing, stale or failed, and runs these only.

It decides as a run does, and remembers nothing: stopped half-way it finds what is left when it is started again. Runs are
those of `shopmill run`: a version of the past never becomes the current one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from shopmill.asof import AsOf
from shopmill.declaration import Dataset
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.registry import LastRun, Registry
from shopmill.run import steps
from shopmill.run.content import ANOTHER_PREVIOUS, continues
from shopmill.run.plan import reasons_to_run
from shopmill.run.rehearsal import Rehearsal
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.due import due_between, newest_due
from shopmill.trust.standing import Standing
from shopmill.versions.index import Line
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    from shopmill.run.published import Published

Reason = Literal["missing", "stale", "failed"]
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Due:
    """An as_of to run, and why."""

    as_of: str
    reason: Reason
    why: str


@dataclass(frozen=True)
class Done:
    """What came of it: the version, or the error."""

    as_of: str
    status: str
    version: str = ""
    error: str = ""

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Backfill:
    """What is asked for. `first` and `last` are as_ofs, both included; by default all that was published so far."""

    dataset: Dataset
    settings: Settings
    now: datetime
    reasons: frozenset[Reason]
    first: str | None = None
    last: str | None = None
    parameters: Mapping[str, Any] | None = None

    @cached_property
    def versions(self) -> Versions:
        """The versions of the dataset."""
        return Versions(Store(self.settings.store), self.dataset.name, self.settings.zone)

    @cached_property
    def span(self) -> tuple[AsOf, AsOf]:
        """The first and the last as_of that are looked at; InvalidInputError where there are none."""
        zone = self.settings.zone
        last = AsOf.parse(self.last, zone) if self.last else newest_due(self.dataset.promise, self.now, zone)
        if last.instant > self.now:
            raise InvalidInputError(f"--to {last.label} is in the future: its rows are still to come.")
        first = AsOf.parse(self.first, zone) if self.first else self._oldest
        if first.instant > last.instant:
            what = f"--from {first.label}" if self.first else f"The first version, as of {first.label},"
            raise InvalidInputError(
                f"{what} is after {'--to' if self.last else 'the newest as_of that is due,'} {last.label}."
            )
        return first, last

    @property
    def _oldest(self) -> AsOf:
        known = [*self.versions.as_ofs(), *(AsOf.parse(as_of, self.settings.zone) for as_of in self._runs)]
        if not known:
            raise InvalidInputError(
                f"{self.dataset.name} has no version and no run yet: say where to begin with --from."
            )
        return min(known)

    @cached_property
    def _runs(self) -> dict[str, LastRun]:
        dsn = self.settings.registry_dsn.get_secret_value()
        return Registry(dsn).last_runs(self.dataset.name, self.versions.store.url)

    def due(self) -> Iterator[Due]:
        """The as_ofs to run, ascending, each for the first reason that holds."""
        self.dataset.parse_parameters(self.parameters or {})
        before = ""
        for as_of in self._candidates():
            found = self._missing(as_of) or self._failed(as_of) or self._stale(as_of, before)
            if found:
                before = as_of.label
                yield found

    def _candidates(self) -> list[AsOf]:
        first, last = self.span
        scheduled = due_between(self.dataset.promise, first.instant, last.instant, self.settings.zone)
        known = (AsOf.parse(as_of, self.settings.zone) for as_of in {*self._counted, *self._runs})
        return sorted({*scheduled, *(one for one in known if first.instant <= one.instant <= last.instant)})

    @cached_property
    def _counted(self) -> dict[str, Line]:
        return {as_of: line for (as_of, _), line in self.versions.counted(self._lines).items()}

    @cached_property
    def _lines(self) -> dict[tuple[str, str], Line]:
        return self.versions.lines()

    @cached_property
    def _withdrawn(self) -> set[str]:
        return {line.as_of for line in self._lines.values() if line.withdrawn}

    def _missing(self, as_of: AsOf) -> Due | None:
        """What was published once and is missing was withdrawn, or removed by the rule of retention."""
        run = self._runs.get(as_of.label)
        was_there = as_of.label in self._withdrawn or (run and run.was_published)
        if "missing" not in self.reasons or was_there or as_of.label in self._counted or run:
            return None
        return Due(as_of.label, "missing", "no run has been made for it")

    def _failed(self, as_of: AsOf) -> Due | None:
        run = self._runs.get(as_of.label)
        if run is None or run.status not in {"failed", "blocked"}:
            return None
        if "failed" in self.reasons:
            return Due(as_of.label, "failed", f"its last run {run.status}: {run.error}")
        if "missing" in self.reasons and not run.was_published and as_of.label not in self._counted:
            return Due(as_of.label, "missing", f"it has no version: its last run {run.status}")
        return None

    def _stale(self, as_of: AsOf, before: str) -> Due | None:
        if "stale" not in self.reasons or as_of.label not in self._counted:
            return None
        if before and continues(self.dataset):
            return Due(as_of.label, "stale", f"it continues from {before}, which is made again")
        if self._standing.stands(as_of, self._counted[as_of.label]):
            return None
        try:
            changes = self._changes(as_of)
        except ShopmillError as error:  # the run says it again, and what to do
            changes = [str(error).rstrip(".")]
        return Due(as_of.label, "stale", "; ".join(changes)) if changes else None

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self._rehearsal(self.span[1]), self._lines)

    def _rehearsal(self, as_of: AsOf) -> Rehearsal:
        return Rehearsal.create(self.dataset, as_of.label, self.settings, self.parameters)

    def _changes(self, as_of: AsOf) -> list[str]:
        rehearsal = self._rehearsal(as_of)
        rehearsal.extract()
        found = self.versions.at(as_of)
        changes = list(reasons_to_run(rehearsal, found)) if found else []
        return [] if changes == [ANOTHER_PREVIOUS] and self._was_run_since(as_of) else changes

    def _was_run_since(self, as_of: AsOf) -> bool:
        """Whether it was run with the previous version that there is now, and came out the same: that changes no manifest."""
        previous, run = self.versions.before(as_of), self._runs.get(as_of.label)
        line = self._lines.get((previous.as_of, previous.version)) if previous else None
        return bool(line and run and run.status in {"published", "unchanged"} and run.started_at >= line.published_at)

    def run(self, due: list[Due], on_begin: Callable[[Due, int], OnStep]) -> Iterator[Done]:
        """Runs them one after another. What others continue from must be there: the first failure of such a dataset is the last."""
        for number, one in enumerate(due, start=1):
            on_step = on_begin(one, number)
            try:
                made = self._run(one, on_step)
            except ShopmillError as error:
                yield Done(one.as_of, "failed", error=str(error))
                if continues(self.dataset):
                    return
            else:
                yield Done(one.as_of, made.status, made.version)

    def _run(self, due: Due, on_step: OnStep) -> "Published":
        return steps.run_all(Run.create(self.dataset, due.as_of, self.settings, self.parameters), on_step)
