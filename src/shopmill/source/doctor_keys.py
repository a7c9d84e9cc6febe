"""Whether tables that should join do, with examples that do not, and what would make them."""

from collections.abc import Iterator, Mapping

from shopmill.engine.identifiers import quote
from shopmill.personal import shape
from shopmill.source.database import Source
from shopmill.source.findings import Finding, Level, percent
from shopmill.source.selection import Selection

REFERENCES = {
    "transactions": (("customer_id", "customers"), ("article_id", "articles")),
    "orders": (("customer_id", "customers"),),
    "order_items": (("order_id", "orders"), ("article_id", "articles")),
    "events": (("customer_id", "customers"), ("article_id", "articles"), ("product_code", "articles")),
    "reviews": (("customer_id", "customers"), ("article_id", "articles"), ("product_code", "articles")),
    "promotions": (("article_id", "articles"), ("product_group_name", "articles")),
}
"""The columns of each table that name a row of another one by a column of the same name."""
SAMPLE = 500_000
EXAMPLES = 10
A_FEW = 0.05
WOULD_JOIN = {
    "upper and lower case": "lower({})",
    "leading zeros": "ltrim({}, '0')",
    "case and leading zeros": "ltrim(lower({}), '0')",
    "a .0 at the end": "regexp_replace({}, '\\.0+$', '')",
    "what is not a letter or a digit": "regexp_replace(lower({}), '[^[:alnum:]]', '', 'g')",
}
"""What keys may differ in, and the expression in which they would not."""
IN_UNICODE = {"composed and decomposed letters (é in one character or in two)": "normalize({}, NFC)"}
"""The same, for databases in UTF8."""


def examine_keys(source: Source, name: str, there: Mapping[str, Selection]) -> Iterator[Finding]:
    """The keys of one table against the tables that they name."""
    for column, other in REFERENCES.get(name, ()):
        if other in there and column in there[name].types and column in there[other].types:
            yield _joined(source, there[name], column, there[other])


def _joined(source: Source, selection: Selection, column: str, other: Selection) -> Finding:
    subject = f"{selection.table.name}.{column}"
    total, unknown = _counted(source, selection, column, other, "{}")
    if not total:
        return Finding(subject, "ok", "names nothing")
    if not unknown:
        return Finding(subject, "ok", f"all of {total:,} are in {other.table.name}")
    examples = ", ".join(f"'{value}'" for value in _shapes(column, _examples(source, selection, column, other)))
    text = f"{percent(unknown, total)} ({unknown:,} of {total:,}) are not in {other.table.name}: {examples}"
    return Finding(subject, _level(unknown, total), text, _advice(source, selection, column, other, unknown))


def _shapes(column: str, keys: list[str]) -> list[str]:
    """The examples, of people's ids only how they are written."""
    return list(dict.fromkeys(str(shape(column, key)) for key in keys))


def _level(unknown: int, total: int) -> Level:
    if unknown == total:
        return "error"
    return "warn" if unknown > A_FEW * total else "ok"


def _advice(source: Source, selection: Selection, column: str, other: Selection, unknown: int) -> str:
    """What the keys differ in, where that is what keeps half of them from joining."""
    for difference, expression in (WOULD_JOIN | (IN_UNICODE if source.server_encoding == "UTF8" else {})).items():
        _, left = _counted(source, selection, column, other, expression)
        if left <= unknown / 2:
            same = expression.format(column)
            return f"{unknown - left:,} would join but for {difference}: write {column} alike in both SELECTs, such as {same}"
    return ""


def _given(source: Source, selection: Selection, column: str) -> str:
    """The rows that have a key."""
    key = selection.text_of(column)
    return f"select {key} as key from {selection.mapped} where {key} is not null and {source.trimmed(key)} <> ''"


def _some(source: Source, selection: Selection, column: str) -> str:
    """The same, some of a large table: the first as they come, and the newest, which runs are to read."""
    rows = _given(source, selection, column)
    some = [f"({rows} limit {SAMPLE})"]
    for time in set(selection.times) & selection.types.keys():  # lines of an order may have none of their own
        dated = f"mapped.{quote(time)}"
        some.append(f"({rows} and {dated} is not null order by {dated} desc limit {SAMPLE})")
    return " union all ".join(some)


def _distinct(source: Source, rows: str) -> str:
    """The keys of rows, each once."""
    return f"select distinct {source.trimmed('key')} as key from ({rows}) as rows"


def _counted(source: Source, selection: Selection, column: str, other: Selection, expression: str) -> tuple[int, int]:
    given, known = expression.format("ours.key"), expression.format("theirs.key")
    query = (
        f"select count(*), count(*) filter (where not exists (select 1 from theirs where {known} = {given})) from ours"
    )
    [row] = source.rows(selection.table, f"{_both(source, selection, column, other)} {query}")
    return int(str(row[0])), int(str(row[1]))


def _examples(source: Source, selection: Selection, column: str, other: Selection) -> list[str]:
    query = (
        "select ours.key from ours where not exists (select 1 from theirs where theirs.key = ours.key) "
        f"order by ours.key limit {EXAMPLES}"
    )
    return [str(key) for (key,) in source.rows(selection.table, f"{_both(source, selection, column, other)} {query}")]


def _both(source: Source, selection: Selection, column: str, other: Selection) -> str:
    ours, theirs = _some(source, selection, column), _given(source, other, column)
    return f"with ours as ({_distinct(source, ours)}), theirs as ({_distinct(source, theirs)})"
