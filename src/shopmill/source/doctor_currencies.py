"""Whether amounts can be brought into one currency: which codes there are, which have a rate, and which rows say none."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from shopmill.source.database import Source
from shopmill.source.findings import Finding, counted, percent
from shopmill.source.selection import Selection
from shopmill.source.snapshot import FIRST_DAY, LAST_DAY
from shopmill.vocabulary import code

RATES = "exchange_rates"
WITH_AMOUNTS = {"transactions": "true", "orders": "true", "events": "mapped.event_value is not null"}
"""The tables whose rows have a currency of their own, and which of their rows have an amount."""


def examine_currencies(
    source: Source, selection: Selection, there: Mapping[str, Selection], suffers: tuple[str, ...]
) -> Iterator[Finding]:
    """What is wrong with the currencies of one table; nothing where all amounts are in one, or rates make them one."""
    name, found = selection.table.name, selection.types
    if name not in WITH_AMOUNTS or "currency" not in found or (name == "events" and "event_value" not in found):
        return
    words = _words(source, selection)
    nameless, subject = words.pop("", 0), f"{name}.currency"
    own, first_days = source.settings.currency, _first_days(source, there)
    if not own and len(words) > 1:
        text = f"has {counted(words.items())}, and SHOPMILL_CURRENCY does not say which one is the shop's own: nothing is published"
        yield Finding(subject, "error", text, "set SHOPMILL_CURRENCY, and give exchange_rates", suffers)
    if own and (unknown := {word: number for word, number in words.items() if word not in {own, *first_days}}):
        what = "and their rows are rejected" if first_days else "and nothing is published"
        fix = f"give exchange_rates into {own}, or write codes such as {own} in the mapping where {min(unknown)} means one"
        yield Finding(
            subject,
            "warn" if first_days else "error",
            f"has no exchange rate for {counted(unknown.items())}, {what}",
            fix,
            suffers,
        )
    converted = own and words.keys() & first_days.keys() - {own}
    if converted and (early := _before_their_rates(source, selection, first_days, own)):
        begins = ", ".join(f"{word} on {first_days[word]}" for word in early)
        text = f"has {counted(early.items())} dated before their exchange rates begin ({begins}), and these rows are rejected"
        yield Finding(subject, "warn", text, "give the rates of earlier days", suffers)
    if words and nameless:
        share = percent(nameless, nameless + sum(words.values()))
        taken = own or "the shop's own"
        text = f"{share} ({nameless:,}) are null or blank, and taken to be in {taken}"
        yield Finding(subject, "warn", text, "fill it in the mapping", suffers)


def _words(source: Source, selection: Selection) -> dict[str, int]:
    """The currencies of the rows that have an amount, the most frequent first; '' for none."""
    word = source.trimmed("coalesce(mapped.currency::text, '')")
    query = (
        f"select {word}, count(*) from {selection.mapped} "
        f"where {WITH_AMOUNTS[selection.table.name]} group by 1 order by 2 desc, 1"
    )
    found: Counter[str] = Counter()
    for written, number in source.rows(selection.table, query):
        found[code(str(written))] += int(str(number))
    return dict(found.most_common())


def _first_days(source: Source, there: Mapping[str, Selection]) -> dict[str, date]:
    """The day on which the usable rates of each currency begin."""
    if RATES not in there:
        return {}
    rates, found = there[RATES], dict[str, date]()
    day = rates.day_of("day")
    query = (
        f"select {source.trimmed('mapped.currency::text')}, min({day})::text from {rates.mapped} "
        f"where mapped.rate > 0 and {day} >= '{FIRST_DAY}' and {day} < '{LAST_DAY}' group by 1"
    )
    for written, first in source.rows(rates.table, query):
        word = code(str(written))
        found[word] = min(found.get(word, LAST_DAY), date.fromisoformat(str(first)))
    return found


def _before_their_rates(
    source: Source, selection: Selection, first_days: Mapping[str, date], own: str
) -> dict[str, int]:
    """How many rows of each currency are dated before its rates begin."""
    day, word = selection.day(), source.trimmed("mapped.currency::text")
    query = (
        f"select {word}, ({day})::text, count(*) from {selection.mapped} where {WITH_AMOUNTS[selection.table.name]} "
        f"and mapped.currency is not null and {day} >= '{source.settings.first_day}' and {day} <= now() group by 1, 2"
    )
    found: Counter[str] = Counter()
    for written, on, number in source.rows(selection.table, query):
        name = code(str(written))
        if name != own and name in first_days and date.fromisoformat(str(on)) < first_days[name]:
            found[name] += int(str(number))
    return dict(found.most_common())
