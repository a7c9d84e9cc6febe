"""The checks of a published version as suites of Great Expectations, one per table: plain JSON, the library not needed.

What holds for single columns, keys, counts of rows, and rules that compare columns, any engine of Great Expectations can
run. Other rules on rows are SQL: they are exported for a given dialect, for the library's SQL and Spark engines. What is
not exported is said, with the reason.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import sqlglot
from sqlglot import exp

from shopmill.asof import AsOf
from shopmill.declaration import Column, Dataset, RowCheck, Severity, Table
from shopmill.run.checks import column_rules
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest

SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warn": "warning"}
FORMAT = "1.24.1"
"""The version of Great Expectations whose format this is."""

Expectation = dict[str, Any]
_BETWEEN = {exp.GT: ("min_value", True), exp.GTE: ("min_value", False), exp.LT: ("max_value", True)}
_BETWEEN |= {exp.LTE: ("max_value", False)}
_TURNED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.EQ: exp.EQ}


@dataclass(frozen=True)
class LeftOut:
    """A check that no expectation stands for."""

    check: str
    reason: str


@dataclass(frozen=True)
class Suite:
    """The expectations of one table, and its checks that are not among them."""

    dataset: str
    version: str
    table: str
    expectations: list[Expectation] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the suite, and of its file."""
        return f"{self.dataset}__{self.table}"

    def document(self) -> dict[str, Any]:
        """The suite as Great Expectations keeps it."""
        numbered = [{**e, "id": _id(f"{self.name}/{i}")} for i, e in enumerate(self.expectations)]
        meta = {
            "great_expectations_version": FORMAT,
            "shopmill": {
                "dataset": self.dataset,
                "version": self.version,
                "table": self.table,
                "not_exported": [vars(found) for found in self.left_out],
            },
        }
        return {"name": self.name, "id": _id(self.name), "expectations": numbered, "meta": meta, "notes": None}


def _id(name: str) -> str:
    """The same suite has the same id, however often it is exported."""
    return str(uuid5(NAMESPACE_URL, f"shopmill:{name}"))


@dataclass(frozen=True)
class Exporter:
    """Makes suites of the checks that a version had to pass; rules on rows in the `dialect` given, if one is."""

    dataset: Dataset
    manifest: Manifest
    before: Manifest | None
    settings: Settings
    dialect: str = ""

    def suites(self) -> list[Suite]:
        """A suite for each published table."""
        return [self._suite(table) for table in self.dataset.published]

    def left_out(self) -> list[LeftOut]:
        """Checks of the dataset that are of no single table, and so in no suite."""
        several = [LeftOut(check.name, "it reads other tables or inputs") for check in self.dataset.checks]
        if self.dataset.serving:
            several.append(LeftOut(self.dataset.serving.name, "it asks what serves the version, not a table"))
        if self.dataset.can_reject:
            names = ("accounted for", "rejects", "values known")
            of_inputs = (f"{i.table} {name}" for i in self.dataset.inputs for name in names)
            several += [LeftOut(name, "it compares with the rows of the inputs") for name in of_inputs]
        several += [LeftOut(f"{j.of} joins {j.to}", "it reads other tables or inputs") for j in self.dataset.joins]
        needed = (*self.dataset.inputs, *self.dataset.upstream)
        return several + [LeftOut(f"{i.table} fresh", "it reads the inputs") for i in needed if i.is_fresh]

    def _suite(self, table: Table) -> Suite:
        suite = Suite(self.dataset.name, self.manifest.version, table.name)
        names = [column.name for column in table.columns]
        suite.expectations.append(
            _expect("table_columns_to_match_ordered_list", "columns", "error", {"column_list": names})
        )
        suite.expectations.extend(e for column in table.columns for e in _of_column(column))
        suite.expectations.extend(self._of_table(table))
        for rule in table.checks:
            self._add_rule(suite, rule)
        return suite

    def _of_table(self, table: Table) -> Iterator[Expectation]:
        if len(table.key) == 1:
            yield _expect("column_values_to_be_unique", "key unique", "error", {"column": table.key[0]})
        elif table.key:
            yield _expect("compound_columns_to_be_unique", "key unique", "error", {"column_list": list(table.key)})
        if not table.may_be_empty:
            yield _expect("table_row_count_to_be_between", "row count", "error", {"min_value": self._fewest(table)})

    def _fewest(self, table: Table) -> int:
        before = self.before.rows(table.name) if self.before and table.name in self.before.tables else 0
        kept = 1 - Decimal(str(self._bound["max_row_drop"]))
        return max(1, math.ceil(before * kept))

    def _add_rule(self, suite: Suite, rule: RowCheck) -> None:
        if self.dialect:
            suite.expectations.append(self._unexpected_rows(rule))
        elif compared := self._compared(rule):
            suite.expectations.extend(compared)
        else:
            reason = "a rule on rows that only SQL can say: export it with --sql DIALECT"
            suite.left_out.append(LeftOut(rule.name, reason))

    def _unexpected_rows(self, rule: RowCheck) -> Expectation:
        violated = self._bind(rule.rule).sql(dialect=self.dialect)
        query = f"SELECT * FROM {{batch}} WHERE NOT ({violated})"
        expected = _expect("", rule.name, rule.severity, {"unexpected_rows_query": query})
        return {**expected, "type": "unexpected_rows_expectation"}

    def _compared(self, rule: RowCheck) -> list[Expectation]:
        """A rule that compares columns with columns and values, all to be met; nothing for any other."""
        tree = self._bind(rule.rule)
        parts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
        found = [_comparison(rule, part) for part in parts]
        return [e for e in found if e] if all(found) else []

    def _bind(self, rule: str) -> exp.Expr:
        """The rule with the values that were bound."""

        def replace(node: exp.Expr) -> exp.Expr:
            return _literal(self._bound[node.name]) if isinstance(node, (exp.Placeholder, exp.Parameter)) else node

        return sqlglot.parse_one(rule, read="duckdb").transform(replace)

    @property
    def _bound(self) -> Mapping[str, Any]:
        given = self.manifest.content["parameters"]
        own = {p.name: p.parse(given[p.name]) for p in self.dataset.all_parameters if p.name in given}
        as_of = AsOf.parse(self.manifest.as_of, self.settings.zone)
        return {**own, "as_of": as_of.day(self.settings.zone), "as_of_at": as_of.instant}


def _of_column(column: Column) -> Iterator[Expectation]:
    """An expectation for each rule that the declaration of a column implies, in their order."""
    kwargs: list[tuple[str, dict[str, Any]]] = []
    if column.required:
        kwargs.append(("column_values_to_not_be_null", {}))
    if column.minimum is not None:
        kwargs.append(("column_values_to_be_between", {"min_value": column.minimum}))
    if column.maximum is not None:
        kwargs.append(("column_values_to_be_between", {"max_value": column.maximum}))
    if column.allowed:
        kwargs.append(("column_values_to_be_in_set", {"value_set": list(column.allowed)}))
    for rule, (kind, values) in zip(column_rules(column), kwargs, strict=True):
        yield _expect(kind, rule.name, rule.severity, {"column": column.name, **values})


def _expect(kind: str, check: str, severity: Severity, kwargs: dict[str, Any]) -> Expectation:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"check": check}, "severity": SEVERITIES[severity]}


def _comparison(rule: RowCheck, part: exp.Expr) -> Expectation | None:
    """`a <= b`, `a = b`, `a < 5` or `5 < a`; None for anything else."""
    if type(part) not in _TURNED or not isinstance(part, exp.Binary):
        return None
    left, right, kind = part.left, part.right, type(part)
    if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
        left, right, kind = right, left, _TURNED[kind]
    if not isinstance(left, exp.Column):
        return None
    if isinstance(right, exp.Column):
        return _pair(rule, left.name, right.name, kind)
    value = _value(right)
    if value is None or kind is exp.EQ:
        return None
    bound, is_strict = _BETWEEN[kind]
    strict = {f"strict_{bound.removesuffix('_value')}": True} if is_strict else {}
    kwargs = {"column": left.name, bound: value, **strict}
    return _expect("column_values_to_be_between", rule.name, rule.severity, kwargs)


def _pair(rule: RowCheck, left: str, right: str, kind: type[exp.Expr]) -> Expectation:
    ignore = {"ignore_row_if": "either_value_is_missing"}
    if kind is exp.EQ:
        pair = {"column_A": left, "column_B": right}
        return _expect("column_pair_values_to_be_equal", rule.name, rule.severity, {**pair, **ignore})
    greater, less = (left, right) if kind in (exp.GT, exp.GTE) else (right, left)
    kwargs: dict[str, Any] = {"column_A": greater, "column_B": less, "or_equal": kind in (exp.GTE, exp.LTE), **ignore}
    return _expect("column_pair_values_a_to_be_greater_than_b", rule.name, rule.severity, kwargs)


def _literal(value: Any) -> exp.Expr:
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat()), "timestamptz")
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(str(value)), "date")
    return exp.convert(value)


def _value(node: exp.Expr) -> int | float | str | None:
    """The number or text that a node stands for, a date as ISO text; None where it is none."""
    inner = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(inner, exp.Literal):
        return None
    return str(inner.this) if inner.is_string else float(inner.this)
