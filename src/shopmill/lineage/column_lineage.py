"""Column lineage of one SQL statement: which columns of the tables it reads become, or decide on, each of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

Role = Literal["IDENTITY", "TRANSFORMATION", "AGGREGATION", "CONDITIONAL", "WINDOW", "FILTER", "JOIN", "GROUP_BY"]
"""How a column takes part, in OpenLineage's words: the first three are values of it, the others decide about them."""

DIRECT: tuple[Role, ...] = ("IDENTITY", "TRANSFORMATION", "AGGREGATION")
Schema = Mapping[str, Mapping[str, str]]
"""The types of the columns of each table, by name."""

_ROWS_BEFORE_OR_AFTER = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
_NUMBERINGS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist)


@dataclass(frozen=True, order=True)
class Source:
    """A column that a statement reads, and the role it has for one that it gives.

    Without a `table` it is what is not a column: `column` says what, such as `a constant`.
    """

    table: str
    column: str
    role: Role = "IDENTITY"

    def within(self, outer: Role) -> "Source":
        """The same source, seen through an expression in which what it feeds has the role `outer`."""
        return replace(self, role=combined(outer, self.role))


def combined(outer: Role, inner: Role) -> Role:
    """What is indirect anywhere on the way is so in the end; of direct roles the later in DIRECT is the stronger."""
    if outer not in DIRECT:
        return outer
    return max(outer, inner, key=DIRECT.index) if inner in DIRECT else inner


class Statement:
    """A SELECT whose names are resolved against a schema. Without one, columns are taken to be of the only table.

    sqlglot.errors.SqlglotError when it cannot be parsed, or names a column that no table of it has.
    """

    def __init__(self, sql: str, schema: Schema, dialect: str = "duckdb"):
        tree = qualify(
            sqlglot.parse_one(sql, read=dialect),
            dialect=dialect,
            schema={table: dict(columns) for table, columns in schema.items()},
            quote_identifiers=False,
            validate_qualify_columns=bool(schema),
        )
        scope = build_scope(tree)
        if scope is None:
            raise OptimizeError(f"Not a SELECT: {sql[:80]}")
        self._root = scope
        self._known: dict[tuple[int, int], frozenset[Source]] = {}

    @property
    def columns(self) -> list[str]:
        """The names of the columns it gives."""
        return list(self._selectable(self._root).named_selects)

    @property
    def tables(self) -> set[str]:
        """The tables it reads."""
        sources = [source for scope in self._root.traverse() for source in scope.sources.values()]
        return {_name(source) for source in sources if isinstance(source, exp.Table)}

    def sources(self, column: str) -> frozenset[Source]:
        """What a column is made of and decided by, conditions of whole rows aside."""
        return self._output(self._root, self.columns.index(column))

    def conditions(self) -> frozenset[Source]:
        """What decides which rows there are: filters, joins and groups, wherever they stand."""
        return frozenset(found for scope in self._root.traverse() for found in self._conditions(scope))

    def _conditions(self, scope: Scope) -> Iterator[Source]:
        select = scope.expression
        if not isinstance(select, exp.Select):
            return
        for clause, role in _clauses(select):
            yield from (s.within(role) for s in self._walk(scope, clause, role) if s.table)

    def _output(self, scope: Scope, index: int) -> frozenset[Source]:
        key = (id(scope), index)
        if key not in self._known:
            self._known[key] = frozenset()  # a recursive query gets nothing new from itself
            self._known[key] = frozenset(self._made_of(scope, index))
        return self._known[key]

    def _made_of(self, scope: Scope, index: int) -> Iterator[Source]:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            for branch in scope.set_operation_scopes:
                yield from self._output(branch, index)
        elif isinstance(expression, exp.Subquery):
            yield from self._output(scope.subquery_scopes[0], index)
        elif isinstance(expression, exp.Select):
            yield from self._walk(scope, expression.selects[index], "IDENTITY")
        else:
            yield from (s for c in expression.find_all(exp.Column) for s in self._column(scope, c, "TRANSFORMATION"))

    def _walk(self, scope: Scope, node: exp.Expr, role: Role) -> Iterator[Source]:
        """The sources below a node, each in its role."""
        if isinstance(node, exp.Column):
            yield from self._column(scope, node, role)
        elif isinstance(node, exp.Query):
            yield from self._subquery(scope, node, role)
        elif (said := _said(node)) and role in DIRECT:
            yield Source("", said, role)
        else:
            for child, part in _parts(node):
                yield from self._walk(scope, child, combined(role, part))

    def _column(self, scope: Scope, column: exp.Column, role: Role) -> Iterator[Source]:
        source = _source(scope, column.table)
        if isinstance(source, Scope):
            names = self._selectable(source).named_selects if not _is_function(source) else []
            index = names.index(column.name) if column.name in names else 0
            yield from (found.within(role) for found in self._output(source, index))
        elif isinstance(source, exp.Table):
            yield Source(_name(source), column.name, role)
        else:
            raise OptimizeError(f"{column.sql()} is a column of no table.")

    def _subquery(self, scope: Scope, query: exp.Query, role: Role) -> Iterator[Source]:
        inner = next((s for s in scope.subquery_scopes if s.expression in (query, query.unnest())), None)
        if inner is not None:
            for index in range(len(self._selectable(inner).named_selects)):
                yield from (found.within(combined(role, "TRANSFORMATION")) for found in self._output(inner, index))

    def _selectable(self, scope: Scope) -> exp.Query:
        if not isinstance(scope.expression, exp.Query):
            raise OptimizeError(f"{scope.expression.sql()} is no query.")
        return scope.expression


def _source(scope: Scope | None, name: str) -> exp.Table | Scope | None:
    """What a table name stands for in a query, or in one around it that the query refers to.

    Without a schema, columns stay without a table's name: they are of the only one there is.
    """
    if scope and not name and len(scope.selected_sources) == 1:
        return next(source for _, source in scope.selected_sources.values())
    while scope is not None and name not in scope.sources:
        scope = scope.parent
    return scope.sources[name] if scope else None


def _name(table: exp.Table) -> str:
    """A table's name, after its schema where it is said."""
    return f"{table.db}.{table.name}" if table.db else table.name


def _is_function(scope: Scope) -> bool:
    """Whether a source is a function of columns such as `unnest`, not a query."""
    return not isinstance(scope.expression, exp.Query)


def _clauses(select: exp.Select) -> Iterator[tuple[exp.Expr, Role]]:
    """The parts of a SELECT that decide which rows it gives."""
    for name in ("where", "having", "qualify"):
        if clause := select.args.get(name):
            yield clause.this, "FILTER"
    for join in select.args.get("joins") or []:
        if on := join.args.get("on"):
            yield on, "JOIN"
    if group := select.args.get("group"):
        yield from ((expression, "GROUP_BY") for expression in group.expressions)


def _said(node: exp.Expr) -> str:
    """What a node without columns stands for."""
    if isinstance(node, (exp.Placeholder, exp.Parameter)):
        return f"${node.name}"
    if isinstance(node, (exp.Literal, exp.Boolean, exp.Null)):
        return "a constant"
    if isinstance(node, _NUMBERINGS):
        return "a number of rows"
    counts_rows = isinstance(node, exp.Count) and not any(node.find_all(exp.Column))
    return "a number of rows" if counts_rows else ""


def _parts(node: exp.Expr) -> Iterator[tuple[exp.Expr, Role]]:
    """The children of a node, with the role that each has in it."""
    if isinstance(node, exp.Window):
        yield node.this, "IDENTITY"
        for name in ("partition_by", "order"):
            yield from ((child, "WINDOW") for child in _listed(node.args.get(name)))
    elif isinstance(node, exp.Filter):
        yield node.this, "IDENTITY"
        yield node.expression, "CONDITIONAL"
    elif isinstance(node, (exp.Case, exp.If)):
        yield from _parts_of_choice(node)
    else:
        role = _role_of(node)
        yield from ((child, role) for child in node.iter_expressions())


def _parts_of_choice(node: exp.Case | exp.If) -> Iterator[tuple[exp.Expr, Role]]:
    """The condition of each branch decides, its value is taken."""
    yield from ((child, "CONDITIONAL") for child in _listed(node.this))
    yield from ((branch, "IDENTITY") for branch in _listed(node.args.get("ifs")))
    for name in ("true", "false", "default"):
        yield from ((child, "TRANSFORMATION") for child in _listed(node.args.get(name)))


def _role_of(node: exp.Expr) -> Role:
    if isinstance(node, (exp.Alias, exp.Paren)):
        return "IDENTITY"
    is_aggregate = isinstance(node, exp.AggFunc) and not isinstance(node, _ROWS_BEFORE_OR_AFTER)
    return "AGGREGATION" if is_aggregate else "TRANSFORMATION"


def _listed(child: exp.Expr | list[exp.Expr] | None) -> list[exp.Expr]:
    return child if isinstance(child, list) else [child] if child is not None else []
