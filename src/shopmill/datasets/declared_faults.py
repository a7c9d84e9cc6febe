"""What is wrong with the values of a declaration: parameters, columns, rules and names that nothing could be made of."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from shopmill import datasets
from shopmill.declaration import Column, Dataset, Parameter, RowCheck, Table
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.settings import Settings

NAME = re.compile(r"[a-z][a-z0-9_]*")
DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
MOST_DIGITS = 38
TIMES = ("date", "timestamptz")
OF_DAGS = ("refresh",)
"""What a DAG's own form asks for."""


def faults_of_values(dataset: Dataset, bound: Iterable[str]) -> Iterator[str]:
    """One sentence for each fault; `bound` are the names that SQL may use without a parameter."""
    for parameter in dataset.parameters:
        yield from (
            f"The parameter {parameter.name} of {dataset.name} {fault}." for fault in _of_parameter(parameter, bound)
        )
    yield from _repeated(dataset, "parameter", (parameter.name for parameter in dataset.parameters))
    yield from _repeated(dataset, "check", (check.name for check in dataset.checks))
    yield from _repeated(dataset, "input", (needed.table for group in dataset.extracts.values() for needed in group))
    for table in dataset.tables:
        yield from _of_table(dataset, table)
    yield from _of_what_is_named(dataset)


def _repeated(dataset: Dataset, what: str, names: Iterable[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{dataset.name} declares the {what} {name!r} {times} times: leave one of them."


def _of_parameter(parameter: Parameter, bound: Iterable[str]) -> Iterator[str]:
    if not NAME.fullmatch(parameter.name):
        yield f"cannot be called {parameter.name!r}: use lower-case letters, digits and underscores"
    if parameter.name in {*bound, *OF_DAGS}:
        yield "has a name that means something else in every dataset: rename it"
    if parameter.minimum is not None and parameter.maximum is not None and parameter.minimum > parameter.maximum:
        yield f"allows nothing: its minimum {parameter.minimum} is above its maximum {parameter.maximum}"
        return
    try:
        parsed = parameter.parse(parameter.default)
    except (InvalidInputError, KeyError) as error:
        yield f"has a default that it does not allow: {str(error).rstrip('.')}"
        return
    if type(parsed) is not type(parameter.default):
        yield f"has a default of another type: write {parsed!r}, not {parameter.default!r}"


def _of_table(dataset: Dataset, table: Table) -> Iterator[str]:
    where = f"{dataset.name}.{table.name}"
    if not NAME.fullmatch(table.name):
        yield f"{dataset.name} cannot have a table {table.name!r}: use lower-case letters, digits and underscores."
    for name, times in Counter(column.name.lower() for column in table.columns).items():
        if times > 1:
            yield f"{where} declares the column {name} {times} times: give each column a name of its own."
    for column in table.columns:
        yield from (f"The column {where}.{column.name} {fault}." for fault in _of_column(column))
    times_of = {column.name: column.type for column in table.columns}
    if table.partition_by in times_of and times_of[table.partition_by] not in TIMES:
        yield f"{where} has a file per period of {table.partition_by}, which is no date: give partition_by a date or timestamptz."
    if table.in_spans and (table.narrowed_by or table.split_by or (table.published and not table.partition_by)):
        yield f"{where} cannot be computed in spans: a published one needs partition_by, and none may have narrowed_by or split_by."
    for check in table.checks:
        yield from (f"The check {check.name!r} of {where} {fault}." for fault in _of_rule(table, check))


def _of_column(column: Column) -> Iterator[str]:
    if not NAME.fullmatch(column.name.lower()):
        yield f"cannot be called {column.name!r}: use letters, digits and underscores"
    if column.minimum is not None and column.maximum is not None and column.minimum > column.maximum:
        yield f"allows nothing: its minimum {column.minimum} is above its maximum {column.maximum}"
    if found := DECIMAL.match(column.type):
        digits, places = int(found[1]), int(found[2])
        if not 1 <= digits <= MOST_DIGITS or places > digits:
            yield f"is of type {column.type}: a decimal has 1 to {MOST_DIGITS} digits, and no more places than digits"


def _of_rule(table: Table, check: RowCheck) -> Iterator[str]:
    if [one.name for one in table.checks].count(check.name) > 1:
        yield "is declared more than once: give each check a name of its own"
    try:
        rule = sqlglot.parse_one(f"select {check.rule}", read="duckdb")
    except SqlglotError as error:
        yield f"is not SQL that can be read: {str(error).splitlines()[0].rstrip('.')}"
        return
    bound_in_rule = {name.name for function in rule.find_all(exp.Lambda) for name in function.expressions}
    names = {column.name for column in table.columns}
    for name in sorted({column.name for column in rule.find_all(exp.Column)} - names - bound_in_rule):
        yield f"names the column {name!r}, which the table does not have{did_you_mean(name, names).rstrip('?')}"


def _of_what_is_named(dataset: Dataset) -> Iterator[str]:
    """Inputs, tables and settings that the declaration names and that do not exist."""
    inputs, tables = [needed.table for needed in dataset.inputs], {table.name: table for table in dataset.tables}
    settings = list(Settings.model_fields)
    if dataset.incremental:
        facts = (*dataset.incremental.facts, *dataset.incremental.read_whole)
        yield from _unknown(dataset, "Incremental", facts, inputs)
    yield from _unknown(dataset, "settings", dataset.settings, settings)
    yield from _unknown(
        dataset, "upstream", (needed.table for needed in dataset.upstream), set(datasets.names()) - {dataset.name}
    )
    yield from _unknown(dataset, "joins", (join.to for join in dataset.joins), inputs)
    yield from _unknown(dataset, "joins", (join.of for join in dataset.joins), {*tables, *dataset.views})
    for join in dataset.joins:
        if join.of in tables:
            yield from _unknown(dataset, "joins", [join.key], [column.name for column in tables[join.of].columns])


def _unknown(dataset: Dataset, where: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for name in sorted(set(names) - set(known)):
        yield f"{dataset.name} names {name!r} in {where}, which does not exist there.{did_you_mean(name, known)}"
