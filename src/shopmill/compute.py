"""The computing heart of a run: tables from SQL into staging, and the checks on them. No registry, no Airflow."""

import logging
from collections.abc import Callable
from datetime import date

from shopmill.checks import Checking, Result
from shopmill.declaration import Table
from shopmill.engine.compose import compose, statement
from shopmill.errors import InvalidInputError
from shopmill.identifiers import quote
from shopmill.manifest import File
from shopmill.run import Run
from shopmill.store import sha256_of
from shopmill.workspace import Workspace

log = logging.getLogger(__name__)
OnStatement = Callable[[str, str], None]
"""Told the name of a table and the SQL that is about to compute it."""


def pin_previous(run: Run) -> None:
    """Notes which version this run continues from, so that all its steps see the same one."""
    previous = run.versions.before(run.as_of)
    run.note("previous", {"as_of": previous.as_of, "version": previous.version} if previous else None)


def compute(workspace: Workspace, table: Table, on_statement: OnStatement = lambda _table, _sql: None) -> int:
    """Writes one table into staging, with exactly its declared columns, in its order; returns its number of rows."""
    run, query = workspace.run, statement(workspace.run.dataset, table)
    on_statement(table.name, query)
    workspace.prepare([run.dataset.sql[table.name]])
    _same_columns(workspace, table)
    path = workspace.scratch / f"{table.name}.parquet"
    rows = workspace.engine.write(query, workspace.bound, path)
    file = File(f"{table.name}/part-00000.parquet", rows, path.stat().st_size, sha256_of(path))
    run.store.adopt(path, f"{run.staging}/{file.path}")
    run.stage_table(table.name, [file])
    log.info("%s: %d rows", table.name, rows)
    return rows


def _same_columns(workspace: Workspace, table: Table) -> None:
    dataset = workspace.run.dataset
    found = set(workspace.engine.columns(compose(dataset, dataset.sql[table.name]), workspace.bound))
    if different := sorted(found ^ {column.name for column in table.columns}):
        raise InvalidInputError(
            f"{dataset.name}/{table.name}.sql and its declaration differ in: {', '.join(different)}. Change one of them."
        )


def run_checks(workspace: Workspace) -> list[Result]:
    """The results of all checks of a run whose tables are staged."""
    run, previous = workspace.run, workspace.previous
    tables = [f"select * from {quote(table.name)}" for table in run.dataset.tables]
    workspace.prepare([*tables, *(declared.sql for declared in run.dataset.checks)])
    rows = {table: previous.rows(table) for table in previous.tables} if previous else {}
    ages = {
        name: run.as_of.day(run.settings.zone) - date.fromisoformat(s.newest_day)
        for name, s in run.inputs.items()
        if s.newest_day
    }
    checking = Checking(
        run.dataset, workspace.engine, workspace.bound, rows, {name: age.days for name, age in ages.items()}
    )
    return checking.run(sum(snapshot.rows for snapshot in run.inputs.values()))
