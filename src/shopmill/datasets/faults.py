"""What is wrong with a declaration, found without running it: one sentence for each fault, naming the file to change."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from sqlglot.errors import SqlglotError

from shopmill import datasets, sql_files
from shopmill.datasets.dag_file import DagTasks, dag_faults, dags_folder, read_tasks
from shopmill.datasets.declared_faults import faults_of_values
from shopmill.datasets.shape_faults import faults_of_checks, faults_of_shape, faults_of_views
from shopmill.declaration import Announcement, Dataset, Measure, QueryCheck
from shopmill.engine.compose import base_tables, names_in, views_of
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.source.contract import TABLES

BOUND = (
    "as_of", "as_of_at", "time_zone", "since", "until", "changed_since", "continued_at", "is_full",
    "first_day", "first_sale", "shop_currency", "cancelled_statuses", "sold_statuses", "event_words",
)  # fmt: skip
COUNTS = ("input_rows", "input_days")
TYPES = r"(varchar|integer|bigint|double|float|boolean|date|timestamptz|decimal\(\d+, ?\d+\))(\[\])?"
Asked = QueryCheck | Announcement | Measure


def refuse_faults(dataset: Dataset, dag: DagTasks | None = None) -> None:
    """InvalidInputError with the first fault of a declaration, and how many there are."""
    if found := faults(dataset, dag):
        more = f" ({len(found) - 1} more faults were found with it.)" if len(found) > 1 else ""
        raise InvalidInputError(found[0] + more)


def faults(dataset: Dataset, dag: DagTasks | None = None) -> list[str]:
    """All faults of a declaration, its SQL files and its DAG: `dag`, or else the file in dags/ that is named like it.

    Later ones may follow from earlier ones, so these come first.
    """
    found = [
        *_of_names(dataset),
        *_of_columns(dataset),
        *_of_tasks(dataset),
        *_of_files(dataset),
        *_of_dag(dataset, dag),
        *faults_of_values(dataset, BOUND),
    ]
    return found or [*_of_queries(dataset)]


def _of_dag(dataset: Dataset, dag: DagTasks | None) -> Iterator[str]:
    path = dags_folder() / f"{dataset.name}.py"
    try:
        dag = dag or read_tasks(path)
    except SyntaxError as error:
        yield f"dags/{path.name} is not Python that can be read: {error}."
    if dag:
        yield from dag_faults(dataset, dag)


def _of_names(dataset: Dataset) -> Iterator[str]:
    if dataset.name != dataset.folder.name:
        yield f"The dataset in the folder {dataset.folder.name} calls itself {dataset.name!r}: make name and folder the same."
    for needed in dataset.inputs:
        if needed.table not in TABLES:
            known = ", ".join(TABLES)
            yield (
                f"{dataset.name} reads the source table {needed.table!r}, which does not exist. There are: {known}."
                f"{did_you_mean(needed.table, TABLES)}"
            )
    for table, times in Counter(table.name for table in dataset.tables).items():
        if times > 1:
            yield f"{dataset.name} declares the table {table} {times} times: give each table a name of its own."


def _of_columns(dataset: Dataset) -> Iterator[str]:
    for table in dataset.tables:
        names = [column.name for column in table.columns]
        yield from (
            f"{dataset.name}.{table.name}.{column.name} is of type {column.type!r}, which is not known. Use varchar, integer, "
            "bigint, double, float, boolean, date, timestamptz or decimal(p,s), or a list of one such as float[]."
            for column in table.columns
            if not re.fullmatch(TYPES, column.type)
        )
        for name in (*table.key, *filter(None, [table.partition_by, table.split_by])):
            if name not in names:
                yield f"{dataset.name}.{table.name} has no column {name!r}, which its key, partition_by or split_by names."
        if table.split_by and (table.partition_by or (table.key and table.split_by not in table.key)):
            yield (
                f"{dataset.name}.{table.name} cannot be split by {table.split_by}: rows with one key have to lie in one file. "
                "Split a table without partition_by, and by a column of its key."
            )


def _of_tasks(dataset: Dataset) -> Iterator[str]:
    declared = [*(table.name for table in dataset.tables), *(artifact.name for artifact in dataset.artifacts)]
    computed = [name for task in dataset.tasks for name in (*task.tables, *task.artifacts)]
    for name in declared:
        if computed.count(name) != 1:
            yield f"{dataset.name} computes {name} in {computed.count(name)} tasks: name it in exactly one of its tasks."
    for task in dataset.tasks:
        for name in (*task.tables, *task.artifacts):
            if name not in declared:
                yield f"The task {task.name} of {dataset.name} computes {name!r}, which is not declared.{did_you_mean(name, declared)}"


def _of_files(dataset: Dataset) -> Iterator[str]:
    where, has_rejects = dataset.name, dataset.can_reject
    needed = {"tables": {table.name for table in dataset.tables} | {artifact.name for artifact in dataset.artifacts}}
    needed["checks"] = {Path(sql_files.file_name(check.name)).stem for check in _checks(dataset) if check.file is None}
    needed["accounts"] = {needed.table for needed in dataset.inputs}
    needed["announcements"] = {announced.asset for announced in dataset.announcements}
    needed["measures"] = {declared.name for declared in dataset.measures}
    if "rejects" in dataset.sql and not has_rejects:
        yield f"{where}/tables/rejects.sql is not used: add REJECTS to the tables of {where}, and to a task."
    for folder, names in needed.items():
        files = {path.stem for path in (dataset.folder / folder).glob("*.sql")}
        yield from (
            f"{where}/{folder}/{name}.sql is missing: the declaration names it."
            for name in sorted(names - files)
            if folder != "accounts"
        )
        surplus = files - names - ({"rejects"} if folder == "tables" else set())
        yield from (f"{where}/{folder}/{name}.sql is not declared: declare or delete it." for name in sorted(surplus))
    yield from (
        f"{where}/{path.name} is not read: move it to tables/, views/ or checks/."
        for path in dataset.folder.glob("*.sql")
    )


def _checks(dataset: Dataset) -> Sequence[QueryCheck]:
    again = dataset.incremental.rebuild_when if dataset.incremental else None
    return [*dataset.checks, *([again] if again else [])]


def _of_queries(dataset: Dataset) -> Iterator[str]:
    queries = dict(_queries(dataset))
    try:
        if badly_made := [*faults_of_views(dataset), *_of_shapes(dataset, queries)]:
            yield from badly_made
            return
        read = {view for sql in queries.values() for view in views_of(dataset, sql)}
    except SqlglotError:
        yield from _unparsed(dataset, queries)
        return
    own = {path.stem for path in (dataset.folder / "views").glob("*.sql")}
    yield from (f"{dataset.name}/views/{name}.sql is read by no query: delete it." for name in sorted(own - read))
    for place, sql in queries.items():
        yield from _of_query(dataset, place, sql)


def _of_shapes(dataset: Dataset, queries: dict[str, str]) -> Iterator[str]:
    for place, sql in queries.items():
        yield from faults_of_shape(dataset, place, sql)
    yield from faults_of_checks(dataset)


def _queries(dataset: Dataset) -> Iterator[tuple[str, str]]:
    yield from ((f"tables/{name}.sql", sql) for name, sql in dataset.sql.items())
    if dataset.can_reject:
        yield from ((f"accounts/{table}.sql", sql) for table, sql in dataset.accounts.items())
    asked: Iterable[Asked] = (*_checks(dataset), *dataset.announcements, *dataset.measures)
    yield from (
        (f"the query of {getattr(a, 'name', '') or getattr(a, 'asset', '')!r}", dataset.query(a)) for a in asked
    )


def _unparsed(dataset: Dataset, queries: dict[str, str]) -> Iterator[str]:
    for place, sql in {**queries, **{f"views/{name}.sql": sql for name, sql in dataset.views.items()}}.items():
        try:
            names_in(sql)
        except SqlglotError as error:
            yield f"{dataset.name}/{place} is not SQL that can be read: {str(error).splitlines()[0]}"


def _of_query(dataset: Dataset, place: str, sql: str) -> Iterator[str]:
    tables, parameters = _readable(dataset), {*BOUND, *(p.name for p in dataset.all_parameters), *_margins(dataset)}
    views = views_of(dataset, sql)
    for name in sorted(base_tables(dataset, sql) - tables):
        yield f"{dataset.name}/{place} reads {name!r}, which is no input, table, view or lookup of it.{did_you_mean(name, tables)}"
    texts = [names_in(text) for text in (sql, *views.values())]
    for name in sorted({name for text in texts for name in text.parameters} - parameters):
        yield f"{dataset.name}/{place} names the parameter ${name}, which is not declared.{did_you_mean(name, parameters)}"
    ctes = Counter([*(name for text in texts for name in text.ctes), *views])
    for name in sorted(name for name, times in ctes.items() if times > 1):
        yield f"{dataset.name}/{place} and its views have {ctes[name]} common table expressions called {name}: rename one."


def _margins(dataset: Dataset) -> Iterable[str]:
    return dataset.incremental.margins(dataset.parse_parameters({})) if dataset.incremental else ()


def _readable(dataset: Dataset) -> set[str]:
    """Everything that the SQL of a dataset may name, its views aside."""
    inputs = {needed.table for needed in dataset.inputs}
    own = {table.name for table in dataset.tables}
    made = {f"{up.table}__{table.name}" for up in dataset.upstream for table in datasets.load(up.table).published}
    prefixed = {f"{prefix}{name}" for name in inputs for prefix in ("", "source_", "changed_", "former_")}
    return prefixed | own | {f"previous_{name}" for name in own} | made | {*COUNTS, *_lookups(dataset)}


def _lookups(dataset: Dataset) -> Iterable[str]:
    day = date(2000, 1, 1)
    return dataset.lookups({**dataset.parse_parameters({}), "as_of": day, "since": day})
