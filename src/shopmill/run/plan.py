"""`shopmill plan`: what a run would read, compute, take over and write, and why, as the run's own steps decide it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from shopmill.declaration import Table
from shopmill.run.compute import EMPTY, prepare
from shopmill.run.content import changes_of_making, changes_since, continues
from shopmill.run.rehearsal import Rehearsal
from shopmill.run.staging import Extent
from shopmill.source.contract import TABLES
from shopmill.source.snapshot import FIRST_DAY, Plan, Snapshot
from shopmill.versions.manifest import Manifest, Pin

Kind = Literal["unchanged", "first", "full", "incremental"]


@dataclass(frozen=True)
class Reading:
    """What would be read of an input. `source` is the shop, the store, or a version of another dataset."""

    name: str
    source: Literal["shop", "store", "version"]
    what: str


@dataclass(frozen=True)
class Writing:
    """What would come of a table: which rows are computed, and how many files are taken over from the previous version."""

    table: str
    computed: str
    taken_over: int = 0


@dataclass(frozen=True)
class RunPlan:
    """What a run would do. Where something is read from the shop, its rows decide in the end."""

    dataset: str
    as_of: str
    kind: Kind
    why: tuple[str, ...]
    reads: tuple[Reading, ...]
    writes: tuple[Writing, ...]
    previous: Pin | None
    replaces: str
    """The current version of this as_of, if there is one."""
    serves: bool
    """Whether the version would be the current one of the dataset."""
    folder: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def plan_of(run: Rehearsal) -> RunPlan:
    """What the run would do."""
    run.extract()
    found = run.versions.at(run.as_of)
    changes = [*reasons_to_run(run, found), *_damage(run, found)] if found else []
    if found and not changes:
        same = "inputs, parameters, code and software are those of the version that is there"
        return _plan(run, "unchanged", (same,), found, ())
    prepare(run)
    extent, previous = run.staging.extent(), run.staging.previous()
    before = run.versions.exactly(previous.as_of, previous.version) if previous else None
    kind: Kind = "first" if before is None else "incremental" if extent.computed else "full"
    why = (*(changes or [_why_none(run)]), *_reasons(run, kind, before, extent))
    return _plan(run, kind, why, found, tuple(_writings(run, before, extent)))


def _why_none(run: Rehearsal) -> str:
    if reason := run.versions.why_withdrawn(run.as_of):
        return f"its version was withdrawn ({reason}), and one that comes out the same is refused"
    return "there is no version of this as_of yet"


def _plan(
    run: Rehearsal, kind: Kind, why: tuple[str, ...], found: Manifest | None, writes: tuple[Writing, ...]
) -> RunPlan:
    return RunPlan(
        dataset=run.dataset.name,
        as_of=run.as_of.label,
        kind=kind,
        why=why,
        reads=tuple(_readings(run)),
        writes=writes,
        previous=found.previous if found and kind == "unchanged" else _previous(run, kind),
        replaces=found.version if found and kind != "unchanged" else "",
        serves=run.versions.is_newest(run.as_of),
        folder=run.store.uri(f"{run.dataset.name}/{run.as_of.path}"),
    )


def _previous(run: Rehearsal, kind: Kind) -> Pin | None:
    return run.staging.previous() if kind != "unchanged" and continues(run.dataset) else None


def reasons_to_run(run: Rehearsal, found: Manifest) -> Iterator[str]:
    """Why a version that is there would not stay, by what it was made of. The run's inputs are extracted by then."""
    yield from changes_since(run, found)
    yield from (f"{name} is read again" for name in run.due)


def _damage(run: Rehearsal, found: Manifest) -> Iterator[str]:
    damaged = run.versions.faults(found, hashes=run.store.root is not None)
    yield from (f"{key} {fault}" for key, fault in damaged.items())


def _reasons(run: Rehearsal, kind: Kind, before: Manifest | None, extent: Extent) -> Iterator[str]:
    """Why so much is computed."""
    incremental = run.dataset.incremental
    if before is None:
        yield (
            "there is no earlier version to continue from" if continues(run.dataset) else "it needs no earlier version"
        )
    elif incremental is None:
        yield "every version is computed whole"
    elif kind == "full":
        changes = list(changes_of_making(run, before))
        yield from (f"since the previous version, {change}" for change in changes)
        if not changes:
            yield "what the previous version holds cannot be continued"
    else:
        yield f"it continues from the version as of {before.as_of}, and rows of days before {extent.computed} stay as they are"
        if run.due:
            yield f"earlier days are computed too where rows of {', '.join(run.due)} differ from those that are kept"


def _readings(run: Rehearsal) -> Iterator[Reading]:
    for name, found in run.foreseen.items():
        yield Reading(name, *(_kept(found) if isinstance(found, Snapshot) else _read(run, name, found)))
    for name, made in run.upstream.items():
        yield Reading(name, "version", f"version {made.version} as of {made.as_of}")


def _kept(found: Snapshot) -> tuple[Literal["store"], str]:
    return "store", f"{found.rows:,} rows, as they were read for {found.read_as_of}"


def _read(run: Rehearsal, name: str, plan: Plan) -> tuple[Literal["shop"], str]:
    if not TABLES[name].is_fact:
        return "shop", "all rows, as the shop shows them now"
    if plan.base is None or plan.read_from <= FIRST_DAY:
        return "shop", f"all rows before {run.as_of.label}" + (
            ", again: a refresh was asked for" if run.refresh else ""
        )
    last = run.as_of.last_day(run.settings.zone)
    kept = len(plan.carried())
    return "shop", (
        f"{_days(plan.read_from, last)}, and days that changed; {kept} files are kept as they were read for {plan.base.as_of}"
    )


def _days(first: date, last: date) -> str:
    return f"{first} to {last}" if first < last else str(last)


def _writings(run: Rehearsal, before: Manifest | None, extent: Extent) -> Iterator[Writing]:
    """The tables that a version has. A narrowed one computes fewer days: its query finds them among the rows."""
    for table in run.dataset.published:
        if extent.computed is None or before is None or not table.partition_by:
            yield Writing(table.name, "all rows")
        else:
            narrowed = ", and of these the days that changed" if table.narrowed_by else ""
            yield Writing(
                table.name, f"from {extent.computed} on{narrowed}", _taken_over(before, table, extent.computed)
            )


def _taken_over(before: Manifest, table: Table, since: date) -> int:
    names = [Path(file.path).stem for file in before.files(table.name)] if table.name in before.tables else []
    return sum(name != EMPTY and date.fromisoformat(name) < since for name in names)
