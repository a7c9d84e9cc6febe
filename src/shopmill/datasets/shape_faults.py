"""What is wrong with the form of a dataset's queries: what is no query, gives other columns, or reads itself."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import sqlglot
from sqlglot import exp

from shopmill.declaration import Dataset
from shopmill.engine.compose import references
from shopmill.errors import did_you_mean


def faults_of_views(dataset: Dataset) -> Iterator[str]:
    """Views in a circle, those that a table of the dataset hides, and held ones that are none."""
    names = {path.stem for path in (dataset.folder / "views").glob("*.sql")}
    for name in sorted(names & {table.name for table in dataset.tables}):
        yield f"{dataset.name}/views/{name}.sql has the name of a table of the dataset: rename one of them."
    for name in sorted({*dataset.held} - dataset.views.keys()):
        yield f"{dataset.name} holds {name!r}, which is no view of it.{did_you_mean(name, dataset.views)}"
    try:
        TopologicalSorter(
            {name: references(sql) & dataset.views.keys() for name, sql in dataset.views.items()}
        ).prepare()
    except CycleError as error:
        circle = error.args[1]
        through = f" through {', '.join(circle[1:-1])}" if circle[1:-1] else ""
        yield f"{dataset.name}/views/{circle[0]}.sql reads itself{through}: a view may read other views only."


def faults_of_shape(dataset: Dataset, place: str, sql: str) -> Iterator[str]:
    """A file that is not one SELECT, or lacks a column that the declaration of its table names."""
    statements = [statement for statement in sqlglot.parse(sql, read="duckdb") if statement is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        yield f"{dataset.name}/{place} is not one SELECT: the statement of a file gives rows, and changes nothing."
        return
    made = {table.name: table for table in dataset.tables if not table.function}
    table = made.get(place.removeprefix("tables/").removesuffix(".sql"))
    if table and place.startswith("tables/"):
        for name in _missing(statements[0], [column.name for column in table.columns]):
            yield f"{dataset.name}/{place} selects no {name}, which is a column of the table: select it, or do not declare it."


def faults_of_checks(dataset: Dataset) -> Iterator[str]:
    """Checks that do not say how often they are violated."""
    for check in dataset.checks:
        query = sqlglot.parse_one(dataset.query(check), read="duckdb")
        if _missing(query, ["violations"]):
            yield (
                f"The check {check.name!r} of {dataset.name} selects no violations: a check selects one row, with how many "
                "violations there are, and may select detail, which names some."
            )


def _missing(query: object, wanted: list[str]) -> list[str]:
    """The wanted columns that a query does not name; none where it takes all of another, whose columns only an engine knows."""
    if not isinstance(query, exp.Query) or any(column.is_star for column in query.selects):
        return []
    given = {name.lower() for name in query.named_selects}
    return [name for name in wanted if given and "" not in given and name.lower() not in given]
