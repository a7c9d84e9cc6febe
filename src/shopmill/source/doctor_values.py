"""What the values of a table are like: how many rows and of which days, nulls, words, and what would not fit."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from shopmill.engine.identifiers import literal, quote
from shopmill.personal import masked
from shopmill.source.contract import SourceColumn
from shopmill.source.database import Source
from shopmill.source.findings import Finding, counted, percent
from shopmill.source.first_sale import first_sale
from shopmill.source.selection import ALWAYS, Selection
from shopmill.source.snapshot import FIRST_DAY, LAST_DAY, NEVER
from shopmill.vocabulary import EVENT_TYPES, STAND_INS, event_words, may_be_a_return, normal, small

WORDS = 10
IDS = ("customer_id", "article_id", "order_id", "event_id", "session_id", "visitor_id", "review_id")
MAY_BE_NULL = {"review_text", "event_type"}
"""Required columns of which a null says something: stars without words, an event of no known type."""
NULL_IS_A_VALUE = {"created_at", "changed_at"}
"""Dates that do not fit and do no harm to their row: all others reject it."""
LONGEST_WORD = 40
OUT_OF_RANGE = {
    "transactions.quantity": ("<= 0", "are not above 0", "map what came back to order_items, with a quantity below 0"),
    "transactions.price": ("< 0", "are below 0", "map what came back to order_items, with a quantity below 0"),
    "order_items.price": ("< 0", "are below 0", "write what came back with a quantity below 0, and the price that was paid"),
    "articles.price": ("< 0", "are below 0", "write null where an article has no price"),
    "reviews.rating": ("not between 1 and 5", "are outside of 1 to 5", "bring them to five stars in the mapping: "
                       "ceil(rating / 2.0)::integer where the best is 10"),
    "exchange_rates.rate": ("<= 0", "are not above 0", "leave out what is no rate"),
}  # fmt: skip
"""Numbers whose rows are rejected, as `table.column`: the condition, in words, and the way out."""


def examine_values(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """The rows of a table and the days that they are of, then what is odd about its columns."""
    rows, extent = _extent(source, selection, suffers)
    yield extent
    if rows:
        yield from _nulls(source, selection, rows, suffers)
        yield from _long_before_all_others(source, selection, suffers)
        yield from _stand_ins(source, selection, suffers)
        yield from _numbers(source, selection, suffers)
        yield from _out_of_range(source, selection, rows, suffers)
        yield from _repeated(source, selection, rows, suffers)
        yield from _dates(source, selection, suffers)
        yield from _same_visitor(source, selection, rows, suffers)
        yield from _words(source, selection, suffers)


def _counts(source: Source, selection: Selection, expressions: list[str]) -> list[int]:
    if not expressions:
        return []
    [row] = source.rows(selection.table, f"select {', '.join(expressions)} from {selection.mapped}")
    return [int(str(value)) for value in row]


def _extent(source: Source, selection: Selection, suffers: tuple[str, ...]) -> tuple[int, Finding]:
    name, time = selection.table.name, selection.table.time
    if not time or selection.table.time_of:
        [rows] = _counts(source, selection, ["count(*)"])
        return rows, Finding(name, "ok", f"{rows:,} rows" if rows else "is empty")
    value = f"mapped.{quote(time)}"
    usable = f"{value} >= '{FIRST_DAY}' and {value} <= now()"
    query = (
        f"select count(*), (min({value}) filter (where {usable}))::date::text, (max({value}) filter (where {usable}))::date::text, "
        f"count(*) filter (where {value} is null or {value} < '{FIRST_DAY}' or {value} >= '{NEVER}'), "
        f"count(*) filter (where {value} > now() and {value} < '{NEVER}'), "
        f"count(*) filter (where {value} < '{source.settings.first_day}' and {value} >= '{FIRST_DAY}') from {selection.mapped}"
    )
    [row] = source.rows(selection.table, query)
    rows, undated, ahead, ancient = (int(str(row[place])) for place in (0, 3, 4, 5))
    if not rows:
        return 0, Finding(name, "ok", "is empty")
    odd = [
        (undated, f"without a usable {time}: they are rejected"),
        (ahead, "dated after now: they wait for their run"),
        (ancient, f"dated before SHOPMILL_FIRST_DAY ({source.settings.first_day}): they are rejected"),
    ]
    listed = "".join(f", {number:,} {what}" for number, what in odd if number)
    return rows, Finding(
        name, "warn" if listed else "ok", f"{rows:,} rows from {row[1]} to {row[2]}{listed}", "", suffers
    )


def _long_before_all_others(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """A few sales before a gap of years: they would decide how long every series is."""
    if selection.table.name != "transactions":
        return
    settings = source.settings
    usable = f"mapped.t_dat >= '{FIRST_DAY}' and mapped.t_dat <= now()"
    counted = source.rows(
        selection.table, f"select ({selection.day()})::text, count(*) from {selection.mapped} where {usable} group by 1"
    )
    rows = {date.fromisoformat(str(found)): int(str(number)) for found, number in counted}
    begin = first_sale(rows, settings.first_day, settings.longest_gap_days)
    if strays := {found: number for found, number in rows.items() if settings.first_day <= found < begin}:
        yield Finding(
            "transactions.t_dat",
            "warn",
            f"{sum(strays.values()):,} rows, the first of {min(strays)}, are dated long before all others, which begin on "
            f"{begin}: they are rejected",
            f"correct their dates; if the shop sold nothing in between: SHOPMILL_LONGEST_GAP_DAYS above {settings.longest_gap_days}",
            suffers,
        )


def _nulls(source: Source, selection: Selection, rows: int, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Required columns that are null or blank in some rows: these rows are rejected."""
    needed = [
        column
        for column in selection.found
        if not column.optional and column.name not in MAY_BE_NULL | {selection.table.time, "starts_on"}
    ]
    tests = [f"count(*) filter (where {_is_blank(source, column)})" for column in needed]
    for column, number in zip(needed, _counts(source, selection, tests), strict=True):
        if number:
            yield Finding(
                f"{selection.table.name}.{column.name}",
                "error" if number == rows else "warn",
                f"{percent(number, rows)} ({number:,}) are null or blank, and their rows rejected",
                "fill it in the mapping, leave these rows out there, or raise max_reject_share: a run is blocked above it",
                suffers,
            )


def _is_blank(source: Source, column: SourceColumn) -> str:
    value = f"mapped.{quote(column.name)}"
    if column.type == "varchar":
        return f"{value} is null or {source.trimmed(f'{value}::text')} = ''"
    return f"{value} is null"


def _stand_ins(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Ids that are no ids, such as NA: all that they stand for would be one customer."""
    for column in selection.found:
        if column.name not in IDS:
            continue
        value = source.trimmed(f"mapped.{quote(column.name)}::text")
        words = ", ".join(map(literal, STAND_INS))
        query = (
            f"select {value}, count(*) from {selection.mapped} where lower({value}) in ({words}) "
            f"group by 1 having count(*) > 1 order by 2 desc, 1 limit 3"
        )
        for word, number in source.rows(selection.table, query):
            yield Finding(
                f"{selection.table.name}.{column.name}",
                "warn",
                f"'{word}' stands in {int(str(number)):,} rows: is it an id, or does it say that there is none?",
                f"if there is none: nullif({column.name}, {literal(str(word))})",
                suffers,
            )


def _numbers(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Numbers that do not fit, and those that lose digits."""
    for column in selection.found:
        kind, value = selection.types[column.name], f"mapped.{quote(column.name)}"
        if not column.type.startswith("decimal") or kind not in {"numeric", "float4", "float8"}:
            continue
        digits, places = (int(part) for part in column.type[8:-1].split(","))
        number = f"{value}::numeric" if kind == "numeric" else f"{value}::text::numeric"
        is_number = f"{value}::text not in ('NaN', 'Infinity', '-Infinity')"
        misfit = f"case when {value} is null then false when {is_number} then abs({number}) >= 1e{digits - places} else true end"
        lossy = (
            f"case when {value} is not null and {is_number} then {number} <> round({number}, {places}) else false end"
        )
        tests = [f"count(*) filter (where {test})" for test in (misfit, lossy)]
        misfits, lossies = _counts(source, selection, tests)
        subject = f"{selection.table.name}.{column.name}"
        if misfits:
            text = f"{misfits:,} values do not fit {column.type} (NaN, Infinity, too large) and are read as null"
            yield Finding(subject, "warn", text, "", suffers)
        if lossies:
            text = f"{lossies:,} values have more than {places} decimals and are rounded"
            yield Finding(
                subject, "warn", text, f"round it in the mapping: round({column.name}::numeric, {places})", suffers
            )
        if kind == "float4":
            text = "is real, which is certain of six digits only"
            yield Finding(subject, "warn", text, "keep money in numeric", suffers)


def _out_of_range(source: Source, selection: Selection, rows: int, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Numbers that fit their type and mean nothing: a run rejects their rows."""
    table = selection.table.name
    ranges = {c: OUT_OF_RANGE[f"{table}.{c.name}"] for c in selection.found if f"{table}.{c.name}" in OUT_OF_RANGE}
    values = {c: f"mapped.{quote(c.name)}" + ("::integer" if c.type == "integer" else "") for c in ranges}
    tests = [f"count(*) filter (where {values[column]} {condition})" for column, (condition, _, _) in ranges.items()]
    for (column, (_, words, fix)), number in zip(ranges.items(), _counts(source, selection, tests), strict=True):
        if number:
            text = f"{percent(number, rows)} ({number:,}) {words}, and their rows rejected"
            yield Finding(f"{table}.{column.name}", "error" if number == rows else "warn", text, fix, suffers)


def _repeated(source: Source, selection: Selection, rows: int, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Ids that stand in several rows, of which one is used."""
    key = selection.table.key
    if not key or key not in selection.types:
        return
    value = source.trimmed(selection.text_of(key))
    [named, different] = _counts(source, selection, [f"count({value})", f"count(distinct {value})"])
    if number := named - different:
        text = f"{percent(number, rows)} ({number:,}) repeat an id, and of each id one row is used"
        fix = f"select each {key} once in the mapping" if selection.table.name != "orders" else ""
        yield Finding(f"{selection.table.name}.{key}", "warn", text, fix, suffers)


def _dates(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Days that no reader opens, in the columns that do not date the row."""
    dates = [c for c in selection.found if c.type in {"date", "timestamptz"} and c.name != selection.table.time]
    for column in dates:
        value = f"mapped.{quote(column.name)}"
        means_null = f" and {value} <> '{ALWAYS[column.name]}'" if column.name in ALWAYS else ""
        outside = f"({value} < '{FIRST_DAY}' or {value} >= '{LAST_DAY}'){means_null}"
        [number] = _counts(source, selection, [f"count(*) filter (where {outside})"])
        if number:
            then = "are read as null" if column.name in NULL_IS_A_VALUE else "their rows are rejected"
            text = f"{number:,} values are outside of the years 1 to 9999 (infinity?), and {then}"
            fix = f"select a day in the mapping, or null: case when isfinite({column.name}) then {column.name} end"
            yield Finding(f"{selection.table.name}.{column.name}", "warn", text, fix, suffers)


def _same_visitor(source: Source, selection: Selection, rows: int, suffers: tuple[str, ...]) -> Iterator[Finding]:
    if "visitor_id" not in selection.types or rows < WORDS:
        return
    [visitors, named] = _counts(source, selection, ["count(distinct mapped.visitor_id)", "count(mapped.visitor_id)"])
    if visitors == 1 and named > 1:
        text = f"is the same in all of {named:,} events: it tells nobody apart"
        yield Finding("events.visitor_id", "error", text, "select the tracker's own id of a browser", suffers)


def _words(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    if selection.table.name == "orders" and "order_status" in selection.types:
        yield _statuses(source, selection, suffers)
    if selection.table.name == "events":
        yield _event_types(source, selection, suffers)


def _vocabulary(source: Source, selection: Selection, column: str) -> dict[str, int]:
    """The words of a column as a run reads them, in small letters, the most frequent first."""
    word = source.trimmed(f"mapped.{quote(column)}::text")
    query = (
        f"select {word}, count(*) from {selection.mapped} where {word} <> '' group by 1 order by 2 desc, 1 limit 1000"
    )
    found: Counter[str] = Counter()
    for written, number in source.rows(selection.table, query):
        found[small(str(written))] += int(str(number))
    return dict(found.most_common())


def _listed(words: dict[str, int]) -> str:
    listed = counted((shortened(word), number) for word, number in list(words.items())[:WORDS])
    return listed + (f" and {len(words) - WORDS} more" if len(words) > WORDS else "")


def shortened(word: str) -> str:
    """A word as a message shows it: a column may hold anything, an address too."""
    word = str(masked("", word))
    return word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD] + "…"


def _statuses(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Finding:
    words = _vocabulary(source, selection, "order_status")
    decided = {small(word) for word in (*source.settings.cancelled_statuses, *source.settings.sold_statuses)}
    doubtful = {word: number for word, number in words.items() if word not in decided and may_be_a_return(word)}
    if doubtful:
        return Finding(
            "orders.order_status",
            "warn",
            f"may mean that an order came back, and do not count as cancelled: {_listed(doubtful)}",
            "if they came back wholly: SHOPMILL_CANCELLED_STATUSES='[\"cancelled\", …]'; if not, or if order_items says what came "
            "back: SHOPMILL_SOLD_STATUSES",
            suffers,
        )
    return Finding("orders.order_status", "ok", _listed(words) or "is empty")


def _event_types(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Finding:
    words = _vocabulary(source, selection, "event_type")
    known = event_words(source.settings.event_vocabulary, source.settings.event_types)
    meant = {word: known.get(normal(word), "") for word in words}
    listed = event_types_listed(words, meant)
    if words and not set(meant.values()) & set(EVENT_TYPES):
        fix = "say whose words they are with SHOPMILL_EVENT_VOCABULARY, or what each means with SHOPMILL_EVENT_TYPES: page_view=view"
        return Finding(
            "events.event_type", "error", f"has no known word, so every funnel would be empty: {listed}", fix, suffers
        )
    return Finding("events.event_type", "ok", listed)


def event_types_listed(words: dict[str, int], meant: dict[str, str]) -> str:
    """Words with their numbers, the known ones with what they mean, the most frequent first."""
    known = {f"{word} ({kind})" if kind != normal(word) else word: words[word] for word, kind in meant.items() if kind}
    unknown = {word: number for word, number in words.items() if not meant[word]}
    parts = (_listed(known), f"unknown, counted as other: {_listed(unknown)}" if unknown else "")
    return "; ".join(part for part in parts if part)
