"""Declared checks become queries: one aggregate per table for all row rules, one per rule over tables."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopmill.declaration import Column, Dataset, Input, Join, QueryCheck, RowCheck, Severity, Table
from shopmill.engine.compose import compose
from shopmill.engine.identifiers import quote
from shopmill.engine.profile import part
from shopmill.engine.protocol import Bound, Queries
from shopmill.errors import InvalidInputError
from shopmill.personal import masked, shape

EXAMPLES = 3
JOIN = """
    with used_ids as (select distinct {key} as id from {of} where {key} is not null),
    known_ids as (select distinct {column} as known_id from {to} where problem is null)
    select
      count(*) as n,
      count(*) filter (where known_id is null) as unknown,
      min(id) filter (where known_id is null) as such_as,
      (select min(known_id) from known_ids) as has_such_as
    from used_ids
    left join known_ids on known_id = id
"""


@dataclass(frozen=True)
class Result:
    """How one check went: it passed when nothing violates it."""

    name: str
    table: str
    severity: Severity
    meaning: str
    violations: int
    detail: str = ""
    examples: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing violates the rule."""
        return self.violations == 0

    def sentence(self) -> str:
        """The failure in one line."""
        found = self.detail or f"{self.violations} violation{'s' if self.violations > 1 else ''}"
        examples = f" (such as {'; '.join(self.examples)})" if self.examples else ""
        return f"{self.name}: {found}{examples}"

    def warning(self) -> str:
        """What is wrong, in one line."""
        return self.detail or f"{self.table} {self.sentence()}".strip()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Result":
        """The reverse of `document`."""
        own = {name: value for name, value in document.items() if name != "passed"}
        return cls(**{**own, "examples": tuple(document["examples"])})

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "name": self.name,
            "table": self.table,
            "severity": self.severity,
            "meaning": self.meaning,
            "passed": self.passed,
            "violations": self.violations,
            "detail": self.detail,
            "examples": list(self.examples),
        }


def row_rules(table: Table) -> list[RowCheck]:
    """The rules that the columns imply, and the table's own."""
    implied = [rule for column in table.columns for rule in column_rules(column)]
    return [*implied, *table.checks]


@dataclass(frozen=True)
class ColumnRule(RowCheck):
    """A rule on one column. Where the aggregate `clear` is true no row violates it: files' own statistics answer that."""

    clear: str = "false"


def column_rules(column: Column) -> Iterator[ColumnRule]:
    """The rules that the declaration of a column implies."""
    name, in_range = quote(column.name), "values lie in their range"
    has_order = column.type != "double"  # statistics of files leave NaN out
    if column.required:
        meaning = "a required column has a value in every row"
        yield ColumnRule(f"{column.name} not null", f"{name} is not null", meaning, clear=f"count({name}) = count(*)")
    if column.minimum is not None:
        clear = f"min({name}) >= {column.minimum!r}" if has_order else "false"
        yield ColumnRule(
            f"{column.name} at least {column.minimum:g}", f"{name} >= {column.minimum!r}", in_range, clear=clear
        )
    if column.maximum is not None:
        clear = f"max({name}) <= {column.maximum!r}" if has_order else "false"
        yield ColumnRule(
            f"{column.name} at most {column.maximum:g}", f"{name} <= {column.maximum!r}", in_range, clear=clear
        )
    if column.allowed:
        listed = ", ".join("'" + value.replace("'", "''") + "'" for value in column.allowed)
        yield ColumnRule(
            f"{column.name} of known values", f"{name} in ({listed})", "values come from the list declared"
        )


@dataclass(frozen=True)
class Checking:
    """The checks of one run: over its staged tables, its inputs, and the row counts of the previous version."""

    dataset: Dataset
    engine: Queries
    bound: Bound
    rows: Mapping[str, int]
    """Rows of each table, those taken over from the previous version included; the engine's views lack them."""
    previous_rows: Mapping[str, int]
    input_ages: Mapping[str, int]
    """Days from the newest rows of an input to as_of; inputs without rows are missing."""
    absent: frozenset[str] = frozenset()
    """Source tables that the shop does not have."""
    held: Collection[str] = ()
    """Views that the engine holds as tables."""

    def run(self) -> list[Result]:
        """All results, in the order of the declaration."""
        results = [result for table in self.dataset.published for result in self._of_table(table)]
        results += [self._query(check) for check in self.dataset.checks]
        results += [self._join(join) for join in self.dataset.joins]
        results += self._freshness()
        return results

    def _of_table(self, table: Table) -> list[Result]:
        with part(f"rules of {table.name}"):
            return list(self.of_table(table))

    def of_table(self, table: Table) -> Iterator[Result]:
        """The results of the rules on one table: of its columns, its rows, its key and their number."""
        rules = row_rules(table)
        doubtful = self._doubtful(table, rules)
        counts = [f"count(*) filter (where not ({rule.rule}))" for rule in doubtful]
        violations = dict(zip(doubtful, self._aggregates(table, counts), strict=True))
        for rule in rules:
            yield self._row_result(table, rule, violations.get(rule, 0))
        if table.key:
            yield self._key_unique(table)
        yield self._row_count(table, self.rows[table.name])

    def _doubtful(self, table: Table, rules: list[RowCheck]) -> list[RowCheck]:
        """The rules that the files' own statistics do not answer: rows are counted for these."""
        if not self.engine.has_statistics:
            return rules
        clear = self._aggregates(table, [rule.clear if isinstance(rule, ColumnRule) else "false" for rule in rules])
        return [rule for rule, is_clear in zip(rules, clear, strict=True) if not is_clear]

    def _aggregates(self, table: Table, aggregates: list[str]) -> list[Any]:
        if not aggregates:
            return []
        selected = ", ".join(f"{aggregate} as a{i}" for i, aggregate in enumerate(aggregates))
        return list(self.engine.rows(f"select {selected} from {quote(table.name)}", self.bound)[0].values())

    def _row_result(self, table: Table, rule: RowCheck, violations: int) -> Result:
        examples: tuple[str, ...] = ()
        if violations:
            keys = ", ".join(quote(name) for name in table.order)
            examples = self._examples(f"select {keys} from {quote(table.name)} where not ({rule.rule}) order by {keys}")
        return Result(rule.name, table.name, rule.severity, rule.meaning, violations, examples=examples)

    def _key_unique(self, table: Table) -> Result:
        duplicates = self.engine.duplicates(table.name, table.key)
        keys = ", ".join(quote(name) for name in table.key)
        repeated = f"select {keys} from {quote(table.name)} group by {keys} having count(*) > 1 order by {keys}"
        examples = self._examples(repeated) if duplicates else ()
        meaning = f"one row per {', '.join(table.key)}"
        return Result("key unique", table.name, "error", meaning, duplicates, examples=examples)

    def _examples(self, query: str) -> tuple[str, ...]:
        rows = self.engine.rows(f"{query} limit {EXAMPLES}", self.bound)
        return tuple(", ".join(str(masked(name, value)) for name, value in row.items()) for row in rows)

    def _row_count(self, table: Table, rows: int) -> Result:
        before = self.previous_rows.get(table.name, 0)
        too_few = rows < before * (1 - self.bound["max_row_drop"])
        violated = not table.may_be_empty and (rows == 0 or too_few)
        detail = f"{rows} rows, {before} in the previous version" if violated else ""
        return Result(
            "row count",
            table.name,
            "error",
            "there are rows, and not far fewer than before (max_row_drop)",
            int(violated),
            detail,
        )

    def _query(self, check: QueryCheck) -> Result:
        with part(check.name):
            rows = self.engine.rows(compose(self.dataset, self.dataset.query(check), self.held), self.bound)
        if len(rows) != 1:
            raise InvalidInputError(
                f"The check {check.name!r} of {self.dataset.name} gives {len(rows)} rows: a check gives one, with violations."
            )
        [row] = rows
        violations = int(row["violations"] or 0)
        return Result(
            check.name,
            "",
            check.severity,
            check.meaning,
            violations,
            str(masked("", row.get("detail") or "")) if violations else "",
        )

    def _join(self, join: Join) -> Result:
        """Whether the ids of two tables are alike; a table without rows is one that the shop does not have."""
        sql = JOIN.format(of=quote(join.of), key=quote(join.key), column=quote(join.column), to=f"judged_{join.to}")
        with part(f"{join.of} joins {join.to}"):
            row = self.engine.rows(compose(self.dataset, sql, self.held), self.bound)[0]
        n, unknown, limit = int(row["n"]), int(row["unknown"] or 0), self.bound["max_unmatched_share"]
        violated = bool(row["has_such_as"]) and unknown > limit * n
        such_as, has_such_as = shape(join.column, row["such_as"]), shape(join.column, row["has_such_as"])
        detail = (
            f"{unknown:,} of {n:,} values of {join.column} in {join.of} are not in {join.to} (such as {such_as}, where "
            f"{join.to} has {has_such_as}), more than the limit of {float(100 * limit):.4g} % (max_unmatched_share): write "
            "them alike in the mapping, or let them pass with max_unmatched_share=1"
        )
        name, meaning = f"{join.of} joins {join.to}", f"ids of {join.of} are in {join.to} (max_unmatched_share)"
        return Result(name, "", "error", meaning, unknown if violated else 0, detail if violated else "")

    def _freshness(self) -> Iterator[Result]:
        for needed in (*self.dataset.inputs, *self.dataset.upstream):
            if needed.is_fresh and not (needed.optional and needed.table in self.absent):
                yield self._fresh(needed)

    def _fresh(self, needed: Input) -> Result:
        age, fresh, stale = self.input_ages.get(needed.table), self.bound["fresh_days"], self.bound["stale_days"]
        meaning = f"{needed.table} has rows of the last fresh_days days before as_of"
        if age is None:
            found = f"{needed.table} has no row before as_of (the data begin later, or the table is empty)"
            return Result(f"{needed.table} fresh", "", needed.severity, meaning, 1, found)
        blocks = needed.severity == "error" and age > stale
        if not blocks and age <= fresh:
            return Result(f"{needed.table} fresh", "", needed.severity, meaning, 0)
        limit = f"stale_days={stale}: stale_days={age} lets them pass" if blocks else f"fresh_days={fresh}"
        found = f"the newest rows of {needed.table} are {age} days old, more than {limit}"
        return Result(f"{needed.table} fresh", "", "error" if blocks else "warn", meaning, 1, found)
