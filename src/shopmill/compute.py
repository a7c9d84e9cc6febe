"""The computing heart of a run: tables from SQL into staging, and the checks on them. No registry, no Airflow."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

from shopmill.checks import Checking, Result
from shopmill.continuation import first_changed_day, first_computed_day
from shopmill.declaration import Table
from shopmill.engine.compose import compose, statement
from shopmill.errors import InvalidInputError
from shopmill.identifiers import quote
from shopmill.manifest import File
from shopmill.run import Run, StagedFile
from shopmill.store import sha256_of
from shopmill.workspace import Workspace, open_workspace

log = logging.getLogger(__name__)
OnStatement = Callable[[str, str], None]
"""Told the name of a table and the SQL that is about to compute it."""


def prepare(run: Run) -> None:
    """Notes which version this run continues from and from which day on, so that all its steps see the same."""
    previous = run.versions.before(run.as_of)
    run.note("previous", {"as_of": previous.as_of, "version": previous.version} if previous else None)
    changed = first_changed_day(run, previous) if previous else date.min
    since = first_computed_day(run, previous, changed) if previous else date.min
    run.note("since", {"changed": str(changed), "computed": str(since)})
    incremental = run.dataset.incremental
    if incremental and incremental.rebuild_when:
        with open_workspace(run) as workspace:
            workspace.prepare([incremental.rebuild_when])
            found = workspace.engine.rows(compose(run.dataset, incremental.rebuild_when), workspace.bound)[0]
        if found["violations"]:
            run.note("since", {"changed": str(date.min), "computed": str(date.min)})


def compute(workspace: Workspace, table: Table, on_statement: OnStatement = lambda _table, _sql: None) -> int:
    """Writes one table into staging, with exactly its declared columns, in its order; returns its number of rows."""
    run, query = workspace.run, statement(workspace.run.dataset, table)
    on_statement(table.name, query)
    workspace.prepare([run.dataset.sql[table.name]])
    _same_columns(workspace, table)
    taken_over = _taken_over(workspace, table)
    written = _write(workspace, table, query) or ([] if taken_over else [_write_empty(workspace, table, query)])
    staged = []
    for name, path, rows in written:
        file = File(f"{table.name}/{name}.parquet", rows, path.stat().st_size, sha256_of(path))
        key = f"{run.staging}/{file.path}"
        run.store.adopt(path, key)
        staged.append(StagedFile(file, key))
    run.stage_table(table.name, [*taken_over, *staged])
    total = sum(staged.file.rows for staged in run.staged_files(table.name))
    log.info("%s: %d rows, %d of them computed", table.name, total, sum(rows for _, _, rows in written))
    return total


def _write(workspace: Workspace, table: Table, query: str) -> list[tuple[str, Path, int]]:
    """The files that were computed: name without ending, path, rows."""
    incremental, folder = workspace.run.dataset.incremental, workspace.scratch / table.name
    if incremental and table.partition_by:
        return workspace.engine.write_periods(
            query, workspace.bound, folder, table.partition_by, incremental.period, table.order
        )
    path = folder / "part-00000.parquet"
    return [("part-00000", path, workspace.engine.write(query, workspace.bound, path))]


def _write_empty(workspace: Workspace, table: Table, query: str) -> tuple[str, Path, int]:
    """A file without rows, so that a table of no period can be read all the same."""
    path = workspace.scratch / table.name / "empty.parquet"
    return "empty", path, workspace.engine.write(f"select * from (\n{query}\n) as result limit 0", workspace.bound, path)


def _taken_over(workspace: Workspace, table: Table) -> list[StagedFile]:
    """The files of the version before whose periods ended before the first day that is computed."""
    previous, run = workspace.previous, workspace.run
    if not table.partition_by or previous is None or workspace.since == date.min:
        return []
    files = zip(previous.files(table.name), run.versions.keys_of(previous, table.name), strict=True)
    return [StagedFile(file, key) for file, key in files if Path(file.path).stem < str(workspace.since)]


def _same_columns(workspace: Workspace, table: Table) -> None:
    dataset = workspace.run.dataset
    found = set(workspace.engine.columns(compose(dataset, dataset.sql[table.name]), workspace.bound))
    if different := sorted(found ^ {column.name for column in table.columns}):
        raise InvalidInputError(
            f"{dataset.name}/{table.name}.sql and its declaration differ in: {', '.join(different)}. Change one of them."
        )


def due_announcements(workspace: Workspace) -> dict[str, int]:
    """The number of changes by asset, for each announcement of the dataset that is due."""
    dataset = workspace.run.dataset
    workspace.prepare(announced.sql for announced in dataset.announcements)
    found = {a.asset: workspace.engine.rows(compose(dataset, a.sql), workspace.bound)[0] for a in dataset.announcements}
    return {asset: int(row["changes"]) for asset, row in found.items() if row["due"]}


def run_checks(workspace: Workspace) -> list[Result]:
    """The results of all checks of a run whose tables are staged."""
    run, previous = workspace.run, workspace.previous
    tables = [f"select * from {quote(table.name)}" for table in run.dataset.published]
    workspace.prepare([*tables, *(declared.sql for declared in run.dataset.checks)])
    rows_before = {table: previous.rows(table) for table in previous.tables} if previous else {}
    rows = {table.name: sum(s.file.rows for s in run.staged_files(table.name)) for table in run.dataset.published}
    ages = {
        name: run.as_of.day(run.settings.zone) - date.fromisoformat(s.newest_day)
        for name, s in run.inputs.items()
        if s.newest_day
    }
    checking = Checking(
        run.dataset,
        workspace.engine,
        workspace.bound,
        rows,
        rows_before,
        {name: age.days for name, age in ages.items()},
    )
    return checking.run(sum(snapshot.rows for snapshot in run.inputs.values()))
