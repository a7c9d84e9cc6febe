"""DuckDB's SQL as Spark understands it: sqlglot carries it over, and what it gets wrong is put right here.

What would silently mean something else on Spark is refused instead.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp

from shopmill.errors import InvalidInputError

Rule = Callable[[exp.Expr], exp.Expr]


@lru_cache(maxsize=1000)
def to_spark(query: str) -> str:
    """A query of DuckDB's dialect in Spark's; `$name` becomes `:name`. InvalidInputError for what does not carry over."""
    return _text(_carry_over(query))


@lru_cache(maxsize=1000)
def without_order(query: str) -> tuple[str, tuple[str, ...]]:
    """The same without the outermost ORDER BY, and the columns that it orders by."""
    tree = _carry_over(query)
    order = tree.args.get("order")
    tree.set("order", None)
    return _text(tree), tuple(ordered.this.name for ordered in order.expressions) if order else ()


@lru_cache(maxsize=1000)
def columns_by_text(query: str) -> tuple[str, ...]:
    """The columns that a query of DuckDB's dialect gives, as far as it names each one; none where it does not."""
    return _columns(sqlglot.parse_one(query, read="duckdb"))


def _columns(query: exp.Expr) -> tuple[str, ...]:
    if not isinstance(query, exp.Select):
        return ()
    if query.args.get("from_") and [type(column) for column in query.expressions] == [exp.Star]:
        return _columns(_only_source(query))
    named = [isinstance(column, exp.Alias | exp.Column) and not column.is_star for column in query.expressions]
    return tuple(query.named_selects) if all(named) else ()


def _only_source(query: exp.Select) -> exp.Expr:
    """The query that another takes all columns of; the other itself without them, where there is more to it."""
    star, source = query.expressions[0], query.args["from_"].this
    is_plain = isinstance(source, exp.Subquery) and not source.alias_column_names and not source.args.get("pivots")
    changed = any(star.args.values()) or query.args.get("joins") or query.args.get("laterals")
    return source.this if is_plain and not changed else exp.null()


def _carry_over(query: str) -> exp.Expr:
    tree = sqlglot.parse_one(query, read="duckdb")
    for node in reversed(list(tree.walk())):  # children before their parents
        name = node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__
        if name in RULES:
            replacement = RULES[name](node)
            if replacement is not node:
                node.replace(replacement)
    return tree


def _text(tree: exp.Expr) -> str:
    return tree.sql("spark", comments=False)


def _divide(node: exp.Expr) -> exp.Expr:
    """In DuckDB `/` gives a double; Spark would divide decimals as decimals, of a scale of its own choice."""
    return exp.Div(this=_cast(node.this, "double"), expression=_cast(node.expression, "double"), typed=True)


def _at_time_zone(node: exp.Expr) -> exp.Expr:
    """An instant becomes local time; what was cast to DATE or TIMESTAMP is local time and becomes an instant."""
    name = "to_utc_timestamp" if _is_local(node.this) else "from_utc_timestamp"
    return _call(name, node.this, node.args["zone"])


def _is_local(node: exp.Expr) -> bool:
    node = node.unnest()
    if isinstance(node, exp.Add | exp.Sub):
        return _is_local(node.this)
    return isinstance(node, exp.Cast) and node.to.this in {exp.DType.TIMESTAMPNTZ, exp.DType.DATE}


def _date_diff(node: exp.Expr) -> exp.Expr:
    """DuckDB counts the midnights and month ends between two times (but whole weeks), Spark the whole units."""
    unit, until, since = node.text("unit").lower(), node.this, node.expression
    if unit == "month":
        return exp.paren(exp.Sub(this=_month_number(until), expression=_month_number(since)))
    if unit not in {"day", "week"}:
        raise _refusal(f"date_diff('{unit}', ...)", "count days, weeks or months, or subtract epoch_us")
    days = _call("datediff", _cast(until, "date"), _cast(since, "date"))
    return days if unit == "day" else exp.paren(exp.IntDiv(this=days, expression=exp.Literal.number(7)))


def _month_number(day: exp.Expr) -> exp.Expr:
    year = exp.Mul(this=_call("year", day.copy()), expression=exp.Literal.number(12))
    return exp.paren(exp.Add(this=year, expression=_call("month", day.copy())))


def _interval(node: exp.Expr) -> exp.Expr:
    """An interval literal of Spark holds no expression: so many times one unit."""
    if node.this is None or isinstance(node.this, exp.Literal):
        return node
    one = exp.Interval(this=exp.Literal.string("1"), unit=node.args["unit"])
    return exp.paren(exp.Mul(this=exp.paren(node.this), expression=one))


def _extract(node: exp.Expr) -> exp.Expr:
    part = RULES.get(
        {"isodow": "DayOfWeekIso", "dow": "DayOfWeek", "dayofweek": "DayOfWeek"}.get(node.name.lower(), "")
    )
    return part(exp.DayOfWeek(this=node.expression)) if part else node


def _iso_day_of_week(node: exp.Expr) -> exp.Expr:
    """Monday is 1 in DuckDB and 0 in Spark's weekday."""
    return exp.paren(exp.Add(this=_call("weekday", node.this), expression=exp.Literal.number(1)))


def _day_of_week(node: exp.Expr) -> exp.Expr:
    """Sunday is 0 in DuckDB and 1 in Spark."""
    return exp.paren(exp.Sub(this=_call("dayofweek", node.this), expression=exp.Literal.number(1)))


def _epoch_us(node: exp.Expr) -> exp.Expr:
    return _call("unix_micros", _cast(node.expressions[0], "timestamptz"))


def _hash(node: exp.Expr) -> exp.Expr:
    """64 bits too. Spark passes over nulls, so that (null, x) would have the hash of (x, null)."""
    return _call("xxhash64", *(part for one in node.expressions for part in (one, _is_null(one))))


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=node.copy(), expression=exp.null())


def _arg_max(node: exp.Expr) -> exp.Expr:
    """DuckDB passes over rows whose value is null, Spark only over those whose rank is."""
    rank = exp.If(this=_is_null(node.this), true=exp.null(), false=node.expression)
    return type(node)(this=node.this, expression=rank)


def _array_agg(node: exp.Expr) -> exp.Expr:
    if node.find(exp.Order):
        raise _refusal("list(... order by ...)", "use string_agg(... order by ...), or rows instead of lists")
    return node


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    if "g" not in node.text("modifiers"):
        raise _refusal("regexp_replace without 'g'", "replace all matches with 'g', or anchor the pattern with it")
    return node


def _refusal(what: str, instead: str) -> InvalidInputError:
    return InvalidInputError(f"{what} means something else on Spark: {instead}.")


def _cast(node: exp.Expr, kind: str) -> exp.Expr:
    return exp.cast(node.copy(), kind)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


RULES: Mapping[str, Rule] = {
    "Div": _divide,
    "AtTimeZone": _at_time_zone,
    "DateDiff": _date_diff,
    "Interval": _interval,
    "Extract": _extract,
    "DayOfWeekIso": _iso_day_of_week,
    "DayOfWeek": _day_of_week,
    "ArgMax": _arg_max,
    "ArgMin": _arg_max,
    "ArrayAgg": _array_agg,
    "RegexpReplace": _regexp_replace,
    "epoch_us": _epoch_us,
    "hash": _hash,
}
"""By the name of sqlglot's class, or of the function where sqlglot has no class for it."""
