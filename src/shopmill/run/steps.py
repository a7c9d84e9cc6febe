"""The steps of a run as plain functions: extract, transform, check, publish, register. No Airflow here.

Each step finds what earlier ones left in the run's staging area, and can be repeated after a crash.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shopmill.asof import AsOf
from shopmill.engine.profile import part
from shopmill.errors import CheckFailedError, ConflictError, DamagedError, ShopmillError, said_in_a_sentence
from shopmill.run.accounting import take_accounts
from shopmill.run.accounts import RejectLimit, account_checks
from shopmill.run.checks import Result
from shopmill.run.compute import OnStatement, compute, due_announcements, make, measure, prepare, run_checks
from shopmill.run.content import build_manifest, changes_of_making, changes_since, continues, plain, staged_version
from shopmill.run.damage import damaged_inputs_named
from shopmill.run.drift import drift_checks
from shopmill.run.erasures import nobody_left, note_erasures
from shopmill.run.functions import find_function
from shopmill.run.published import Published
from shopmill.run.room import refuse_too_little_room
from shopmill.run.run import Run
from shopmill.run.staging import Counts
from shopmill.run.workspace import Workspace, open_workspace
from shopmill.versions.manifest import Manifest
from shopmill.versions.standards import describe
from shopmill.versions.statistics import keep_statistics, kept_statistics

if TYPE_CHECKING:
    from shopmill.source.reading import Progress

log = logging.getLogger(__name__)
Rows = dict[str, int]


@dataclass(frozen=True)
class Checked:
    """How the checks of a run went: how many passed, what warns in one sentence each, and how many rows were rejected."""

    passed: int
    warned: tuple[str, ...]
    rejected: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**vars(self), "warned": list(self.warned)}


Outcome = Rows | Checked | Published | None
"""What a step gives; None when it failed."""


def extract(run: Run, task: str = "extract", progress: "Progress" = lambda _table, _rows: None) -> Rows:
    """Brings the source tables of one extract task into the store; gives rows by table.

    The first one also pins the versions of other datasets that the run is made of.
    """
    from shopmill.source.extraction import Extraction  # its driver imports pandas and polars: a third of a second

    with recorded(run, task, begins=True):
        inputs = run.dataset.extracts[task]
        is_first = task == next(iter(run.dataset.extracts))
        if is_first:
            note_erasures(run)
        tables, optional = [i.table for i in inputs], [i.table for i in inputs if i.optional]
        extraction = Extraction(run.settings, run.store, run.as_of, run.locks.lock, progress)
        snapshots = extraction.run(tables, run.refresh, optional) if tables else {}
        run.staging.write_inputs(task, snapshots)
        rows = {name: snapshot.rows for name, snapshot in snapshots.items()}
        return rows | ({name: made.summary.rows for name, made in run.pin_upstream().items()} if is_first else {})


def already_made(run: Run) -> Published | None:
    """The version of this as_of, where computing it again could make nothing else; None where something differs.

    Inputs, parameters, code, software and, where the dataset continues from it, the previous version are then those of
    that version. It serves, and the run is finished here, as unchanged. To be asked when all inputs are extracted.
    """
    found = run.versions.at(run.as_of)
    if found and (ended := _ended(run)) and not any(changes_of_making(run, found)):
        return ended
    if found is None or any(changes_since(run, found)):
        return None
    if run.versions.faults(found, hashes=run.store.root is not None):
        return None  # it is made again, and its damaged files are replaced
    if not run.versions.is_pointed_to(found):
        with run.locks.lock(f"publish {run.dataset.name}"):
            run.versions.keep_pointed_to(found)
    run.staging.write_checks(map(Result.from_document, found.checks))
    run.registry.finish(run.run_id, status="unchanged", checks=_serve(run, found), **_figures(found))
    run.staging.clear()
    return Published.of(found, False, run.store.uri(run.versions.folder(found)), {})


def transform(run: Run, task: str, on_statement: OnStatement = lambda _table, _sql: None) -> Rows:
    """Computes the tables and artifacts of one transform task into staging.

    Gives rows by table, files by artifact, and what their functions counted.
    """
    declared = next(found for found in run.dataset.tasks if found.name == task)
    with recorded(run, task):
        if declared == run.dataset.tasks[0]:
            refuse_too_little_room(run)
            prepare(run)
        with open_workspace(run) as workspace:
            rows = {name: _computed(workspace, name, on_statement) for name in declared.tables}
            files = {name: make(workspace, run.dataset.artifact(name), on_statement) for name in declared.artifacts}
            return rows | files | workspace.context.counts


def _computed(workspace: Workspace, table: str, on_statement: OnStatement) -> int:
    run = workspace.run
    with said_in_a_sentence(f"{run.dataset.name} as of {run.as_of.label}, table {table},"), part(table):
        return compute(workspace, run.dataset.table(table), on_statement)


def check(run: Run) -> Checked:
    """Runs all checks on the staged tables; CheckFailedError when one of severity error fails.

    What is to serve the version is among what is checked, where the tables themselves pass.
    """
    with recorded(run, "check"):
        with open_workspace(run, only_computed=True) as workspace:
            results = run_checks(workspace)
            announced, measured = due_announcements(workspace), measure(workspace)
            accounts = take_accounts(workspace)
        results += account_checks(accounts, _reject_limits(run))
        results += drift_checks(run) if not _blocking(results) else []
        run.staging.write_counts(Counts(accounts, announced, measured))
        results += _prepare_serving(run, results)
        run.staging.write_checks(results)
        _raise_if_blocked(run, results)
        warned = tuple(result.warning() for result in results if not result.passed)
        for sentence in warned:
            log.warning("%s", sentence)
        for account in accounts:
            log.info("%s", account.sentence())
        return Checked(len(results) - len(warned), warned, sum(account.rejected_rows for account in accounts))


def _reject_limits(run: Run) -> dict[str, RejectLimit]:
    named = {source.table: source.reject_limit for source in run.dataset.inputs}
    return {table: RejectLimit(name, Decimal(run.parameters[name])) for table, name in named.items()}


def _prepare_serving(run: Run, results: list[Result]) -> list[Result]:
    """Builds what is to serve the version beside what serves, where the version is to be the current one."""
    serving = run.dataset.serving
    if serving is None or _blocking(results) or not run.versions.is_newest(run.as_of):
        return []
    return [find_function(serving.prepare)(run, staged_version(run))]


def _blocking(results: list[Result]) -> list[Result]:
    return [result for result in results if not result.passed and result.severity == "error"]


def _raise_if_blocked(run: Run, results: list[Result]) -> None:
    if failed := _blocking(results):
        sentences = "; ".join(f"{result.table} {result.sentence()}".strip() for result in failed)
        raise CheckFailedError(
            f"{run.dataset.name} as of {run.as_of.label} was not published: {len(failed)} of {len(results)} checks failed: "
            f"{sentences}. The previous version stays current. When the cause is fixed, run "
            f"`shopmill run {run.dataset.name} --as-of {run.as_of.label} --refresh`, or clear the task in Airflow.",
            failed,
        )


def publish(run: Run) -> Published:
    """Makes the checked tables a version."""
    with recorded(run, "publish"):
        manifest = build_manifest(run)
        names = (*manifest.tables, *manifest.artifacts)
        staged = {item.file.path: item.key for name in names for item in run.staging.files(name)}
        with run.locks.lock(f"publish {run.dataset.name}") as held:
            nobody_left(run)
            _previous_is_the_same(run, manifest)
            is_new = run.versions.publish(manifest, staged, held.confirm, describe(manifest))
        if (statistics := run.staging.statistics()) and kept_statistics(run.versions, manifest) is None:
            keep_statistics(run.versions, manifest, statistics)
        where = run.store.uri(run.versions.folder(manifest))
        published = Published.of(manifest, is_new, where, run.staging.counts().announced)
        run.staging.write_published(published)
        return published


def _previous_is_the_same(run: Run, manifest: Manifest) -> None:
    """A version is built on the one before it: if that was replaced meanwhile, this one would be built on sand."""
    if not continues(run.dataset):
        return
    now = run.versions.before(run.as_of)
    if (now.pin if now else None) != manifest.previous:
        raise ConflictError(
            f"Another run published a version before {run.as_of.label} meanwhile. Run {run.dataset.name} again."
        )


def register(run: Run) -> Published:
    """Puts the version into service, finishes the run's row in the registry and clears its staging area."""
    if ended := _ended(run):
        return ended
    published = run.staging.published()
    manifest = build_manifest(run)
    checks = _serve(run, manifest)
    run.registry.finish(run.run_id, status=published.status, checks=checks, **_figures(manifest))
    run.staging.clear()
    return replace(published, warned=tuple(Result.from_document(c).warning() for c in checks if not c["passed"]))


def _ended(run: Run) -> Published | None:
    """What a run has come to already: it died when its row was finished, and its staging area may be half cleared."""
    outcome = run.registry.outcome(run.run_id)
    if outcome is None:
        return None
    status, version = outcome
    try:
        manifest = run.versions.exactly(run.as_of.label, version)
    except (DamagedError, FileNotFoundError):
        return None
    run.staging.clear()
    return Published.of(manifest, status == "published", run.store.uri(run.versions.folder(manifest)), {})


def _figures(manifest: Manifest) -> dict[str, Any]:
    """What a version fills in of a run's row, whatever came of its checks."""
    made = manifest.summary
    figures = {"version": made.version, "rows": made.rows, "bytes": made.bytes, "rejected": made.rejected}
    return {**figures, "inputs": manifest.content["inputs"]}


def _serve(run: Run, manifest: Manifest) -> list[dict[str, Any]]:
    """Puts the version into service where it is the current one: filling in a past changes nothing that serves.

    Gives the checks of the version, with the result on what serves it now: it may have been built again.
    """
    checks, serving = manifest.checks, run.dataset.serving
    current = run.versions.current()
    if serving is None or current is None or current.version != manifest.version:
        return checks
    with recorded(run, "register"):
        result = find_function(serving.serve)(run, manifest)
    return [*(check for check in checks if check["name"] != serving.name), result.document()]


@contextmanager
def recorded(run: Run, step: str = "run", begins: bool = False) -> Iterator[None]:
    """Writes into the registry that a step failed or was blocked, and why; `begins` opens the row of the run."""
    if begins:
        parameters = {name: plain(value) for name, value in run.parameters.items()}
        run.registry.begin(run.run_id, run.dataset.name, run.as_of.label, parameters, run.orchestrator, run.store.url)
    try:
        with damaged_inputs_named(run), said_in_a_sentence(f"{run.dataset.name} as of {run.as_of.label}, step {step},"):
            yield
    except CheckFailedError as error:
        checks = [result.document() for result in run.staging.checks()]
        _note_end(run, status="blocked", error=str(error), checks=checks)
        raise
    except BaseException as error:  # a signal too: the row says so, and is not left to be found
        _note_end(run, status="failed", error=f"{type(error).__name__}: {error}".rstrip(": "))
        raise


def _note_end(run: Run, **columns: Any) -> None:
    """Ends the row of a failed run; a registry that fails as well must not hide why the run did."""
    try:
        run.registry.finish(run.run_id, **columns)
    except ShopmillError as error:
        log.warning("The end of run %s was not recorded: %s", run.run_id, error)


@contextmanager
def cleared(run: Run) -> Iterator[None]:
    """Clears the staging area of a run in the end, whatever came of it."""
    try:
        yield
    finally:
        run.staging.clear()


def close_dead_runs(run: Run) -> list[str]:
    """Ends the rows of the dataset's runs outside of Airflow whose process died; gives their ids.

    Who holds the lock of the dataset's runs knows that none of them is at work.
    """
    dead = [row for row in run.registry.unfinished(run.dataset.name, run.store.url) if row["dag_run_id"] is None]
    for row in dead:
        run.registry.finish(row["run_id"], **_end_of(run, row))
    return [row["run_id"] for row in dead]


def _end_of(run: Run, row: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a run that left no word: a version that no other run has claimed is its own."""
    found = run.versions.at(AsOf.parse(row["as_of"], run.settings.zone))
    if found and not run.registry.has_published(run.dataset.name, run.store.url, found.as_of, found.version):
        return {"status": "published", "checks": found.checks, **_figures(found)}
    return {"status": "failed", "error": f"Its process on {row['host']} ended without a word: it was killed or lost."}


def run_all(
    run: Run, on_step: Callable[[str], None] = lambda _step: None, progress: "Progress" = lambda _table, _rows: None
) -> Published:
    """All steps one after another, as the CLI runs them. Only one run of a dataset at a time may do so."""
    with run.locks.lock(f"run of {run.dataset.name}", wait=False):
        close_dead_runs(run)
        with cleared(run), recorded(run):
            for task in run.dataset.extracts:
                on_step(task)
                extract(run, task, progress)
            if made := already_made(run):
                return made
            for declared in run.dataset.tasks:
                on_step(declared.name)
                transform(run, declared.name)
            for step in (check, publish):
                on_step(step.__name__)
                step(run)
            on_step("register")
            return register(run)
