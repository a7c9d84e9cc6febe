"""The computing heart of a run: tables from SQL into staging, and the checks on them. No registry, no Airflow."""

import logging
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from shopmill.asof import AsOf
from shopmill.declaration import Artifact, Table
from shopmill.engine.compose import columns_of, compose, statement, typed
from shopmill.engine.identifiers import quote
from shopmill.engine.splitting import Parts, by_hash, by_period, label_of
from shopmill.errors import InvalidInputError
from shopmill.run.checks import Checking, Result
from shopmill.run.continuation import extent_of, is_whole
from shopmill.run.functions import find_function, read_batches, write_batches
from shopmill.run.run import Run
from shopmill.run.spans import Span
from shopmill.run.staging import Extent, StagedFile
from shopmill.run.workspace import Workspace, open_workspace
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.store import sha256_of

log = logging.getLogger(__name__)
EMPTY = "empty"
"""The name of the only file of a table without rows, where others have the first day of their period."""
OnStatement = Callable[[str, str], None]
"""Called with the name of a table and the SQL that is about to compute it."""


def prepare(run: Run) -> None:
    """Notes which version this run continues from and from which day on, so that all its steps see the same."""
    continue_from(run, run.versions.before(run.as_of))


def continue_from(run: Run, previous: Manifest | None) -> None:
    """Notes that a run continues from a version, as far as that can be continued."""
    can_be_continued = previous is not None and is_whole(run, previous)
    run.staging.pin_previous(previous.pin if previous else None)
    run.staging.write_extent(extent_of(run, previous) if previous and can_be_continued else Extent())
    incremental = run.dataset.incremental
    if incremental and incremental.rebuild_when:
        with open_workspace(run) as workspace:
            workspace.prepare([query := run.dataset.query(incremental.rebuild_when)])
            found = workspace.engine.rows(workspace.compose(query), workspace.bound)[0]
        if found["violations"]:
            run.staging.write_extent(Extent())


def compute(workspace: Workspace, table: Table, on_statement: OnStatement = lambda _table, _sql: None) -> int:
    """Writes one table into staging, with exactly its declared columns, in its order; returns its number of rows."""
    run = workspace.run
    workspace.begin(table.narrowed_by, table.reads_all)
    workspace.prepare([run.dataset.sql[table.name]])
    query = (_through_function if table.function else _plain)(workspace, table, on_statement)
    taken_over = _taken_over(workspace, table)
    staged = _write(workspace, table, query) or ([] if taken_over else [_write_empty(workspace, table, query)])
    _written_once(table, {one.file.path for one in taken_over} & {one.file.path for one in staged})
    run.staging.write_files(table.name, sorted([*taken_over, *staged], key=lambda one: one.file.path))
    total = sum(staged.file.rows for staged in run.staging.files(table.name))
    log.info("%s: %d rows, %d of them computed", table.name, total, sum(one.file.rows for one in staged))
    return total


def _plain(workspace: Workspace, table: Table, on_statement: OnStatement) -> str:
    """The query of a table that SQL alone computes."""
    dataset = workspace.run.dataset
    is_ordered = not _label(workspace.run, table)
    on_statement(table.name, statement(dataset, table, is_ordered))
    sql = dataset.sql[table.name]
    named = columns_of(sql) or workspace.engine.columns(workspace.compose(sql), workspace.bound)
    _same_columns(table, named, workspace.run)
    return statement(dataset, table, is_ordered, workspace.held)


def _through_function(workspace: Workspace, table: Table, on_statement: OnStatement) -> str:
    """Lets the function of a table compute its rows; returns the query that reads them."""
    rows = input_of(workspace, table.name, table.function, on_statement)
    computed = workspace.scratch / f"{table.name}.computed.parquet"
    names = write_batches(find_function(table.function)(workspace.context, read_batches(rows)), computed)
    if names:
        _same_columns(table, names, workspace.run)
    view, columns = f"computed_{table.name}", {column.name: column.type for column in table.columns}
    if names:
        workspace.files.take(computed, view, columns)
    else:
        workspace.files.view(view, [], columns)
    return typed(table, f"select * from {quote(view)}", is_ordered=not _label(workspace.run, table))


def input_of(workspace: Workspace, name: str, function: str, on_statement: OnStatement, order: str = "") -> Path:
    """The rows that the SQL of a function gives, as a scratch file."""
    dataset = workspace.run.dataset
    on_statement(f"what {function} is given for {name}", compose(dataset, dataset.sql[name]) + order)
    query = workspace.compose(dataset.sql[name]) + order
    return workspace.files.bring(query, workspace.bound, f"{name}.input.parquet")


def make(workspace: Workspace, artifact: Artifact, on_statement: OnStatement = lambda _table, _sql: None) -> int:
    """Makes the files of an artifact and leaves them in staging; returns their number."""
    run = workspace.run
    workspace.begin()
    workspace.prepare([run.dataset.sql[artifact.name]])
    order = " order by " + ", ".join(quote(name) for name in artifact.key)
    rows = input_of(workspace, artifact.name, artifact.function, on_statement, order)
    folder = workspace.scratch / artifact.name
    folder.mkdir()
    find_function(artifact.function)(workspace.context, read_batches(rows), folder)
    staged = []
    for path in sorted(folder.iterdir()):
        file = File(f"{artifact.name}/{path.name}", 0, path.stat().st_size, sha256_of(path))
        staged.append(StagedFile(file, run.staging.key(file.path)))
        run.store.adopt(path, staged[-1].key)
    run.staging.write_files(artifact.name, staged)
    return len(staged)


def _write(workspace: Workspace, table: Table, query: str) -> list[StagedFile]:
    """The files that were computed."""
    spans = workspace.spans() if table.in_spans else []
    if len(spans) > 1:
        return [file for span in spans for file in _write_span(workspace, table, query, span)]
    if label := _label(workspace.run, table):
        return workspace.files.write_split(query, workspace.bound, table, label, _parts(workspace, table))
    return [workspace.files.write(query, workspace.bound, table, "part-00000.parquet")]


def _write_span(workspace: Workspace, table: Table, query: str, span: Span) -> list[StagedFile]:
    """The files of one span of days of several: those of its periods, or one."""
    workspace.go_to(span)
    workspace.prepare([workspace.run.dataset.sql[table.name]])
    if label := _label(workspace.run, table):
        parts = _parts(workspace, table)
        few = Parts.FEW if parts is Parts.MANY else parts
        written = workspace.files.write_split(query, workspace.bound, table, label, few)
        _within(table, span, [label_of(one.key) for one in written])
        return written
    return [workspace.files.write(query, workspace.bound, table, f"from-{span.since}.parquet")]


def _within(table: Table, span: Span, periods: list[str]) -> None:
    """Rows of other days would be in two spans."""
    if others := [period for period in periods if not str(span.since) <= period < str(span.until)]:
        raise InvalidInputError(
            f"{table.name}.sql gives rows of {others[0]}, which is not among the days from $since on that are before $until: "
            "it may give those of these days only."
        )


def _label(run: Run, table: Table) -> str:
    """The expression that says which file a row of a table goes into; empty where there is one file."""
    if table.partition_by and run.dataset.incremental:
        return by_period(table.partition_by, run.dataset.incremental.period)
    return by_hash(table.split_by, run.settings.split_into) if run.splits(table) else ""


def _parts(workspace: Workspace, table: Table) -> Parts:
    """What is known of the files of a table that is split."""
    incremental = workspace.run.dataset.incremental
    if not table.partition_by or not incremental:
        return Parts.MANY
    if incremental.period == "day":
        return Parts.SMALL
    return Parts.MANY if workspace.is_full else Parts.FEW


def _write_empty(workspace: Workspace, table: Table, query: str) -> StagedFile:
    """A file without rows, so that a table of no period can be read all the same."""
    nothing = f"select * from (\n{query}\n) as result limit 0"
    return workspace.files.write(nothing, workspace.bound, table, f"{EMPTY}.parquet")


def _taken_over(workspace: Workspace, table: Table) -> list[StagedFile]:
    """The files of the previous version whose periods are not computed."""
    previous = workspace.previous
    if not table.partition_by or previous is None or workspace.is_full:
        return []
    files = zip(previous.files(table.name), workspace.keys_of_previous(table.name), strict=True)
    periods = [(label_of(key), StagedFile(file, key)) for file, key in files]
    return [file for name, file in periods if name != EMPTY and not workspace.computes(date.fromisoformat(name))]


def _written_once(table: Table, twice: set[str]) -> None:
    if twice:
        raise InvalidInputError(
            f"{table.name}.sql gives rows of {min(twice)}, which is taken over from the previous version: "
            f"it may give those of the days of {table.narrowed_by or 'the run'} only."
        )


def _same_columns(table: Table, found: Iterable[str], run: Run) -> None:
    source = table.function or f"{run.dataset.name}/{table.name}.sql"
    if different := sorted(set(found) ^ {column.name for column in table.columns}):
        raise InvalidInputError(
            f"{source} and the declaration of {table.name} differ in: {', '.join(different)}. Change one of them."
        )


def due_announcements(workspace: Workspace) -> dict[str, int]:
    """The number of changes by asset, for each announcement of the dataset that is due."""
    dataset = workspace.run.dataset
    queries = {announced.asset: dataset.query(announced) for announced in dataset.announcements}
    workspace.prepare(queries.values())
    found = {asset: workspace.engine.rows(workspace.compose(sql), workspace.bound)[0] for asset, sql in queries.items()}
    return {asset: int(row["changes"]) for asset, row in found.items() if row["due"]}


def measure(workspace: Workspace) -> dict[str, int]:
    """The numbers that the dataset declares to be watched, by name."""
    dataset = workspace.run.dataset
    queries = {declared.name: dataset.query(declared) for declared in dataset.measures}
    workspace.prepare(queries.values())
    found = {name: workspace.engine.rows(workspace.compose(sql), workspace.bound)[0] for name, sql in queries.items()}
    return {name: int(row["value"]) for name, row in found.items()}


def run_checks(workspace: Workspace) -> list[Result]:
    """The results of all checks of a run whose tables are staged."""
    run, previous = workspace.run, workspace.previous
    tables = [f"select * from {quote(table.name)}" for table in run.dataset.published]
    joined = [f"select * from {quote(join.of)}, judged_{join.to}" for join in run.dataset.joins]
    workspace.prepare([*tables, *joined, *(run.dataset.query(declared) for declared in run.dataset.checks)])
    rows_before = {table: previous.rows(table) for table in previous.tables} if previous else {}
    rows = {table.name: sum(s.file.rows for s in run.staging.files(table.name)) for table in run.dataset.published}
    checking = Checking(
        run.dataset,
        workspace.engine,
        workspace.bound,
        rows,
        rows_before,
        _input_ages(run),
        frozenset(name for name, snapshot in run.inputs.items() if snapshot.is_absent),
        workspace.held,
    )
    return checking.run()


def _input_ages(run: Run) -> dict[str, int]:
    """Days from the newest rows of each input, or from the as_of of each version it is made of, to as_of."""
    zone = run.settings.zone
    newest = {name: date.fromisoformat(s.newest_day) for name, s in run.inputs.items() if s.newest_day}
    newest |= {name: AsOf.parse(made.as_of, zone).day(zone) for name, made in run.upstream.items()}
    return {name: (run.as_of.day(zone) - day).days for name, day in newest.items()}
