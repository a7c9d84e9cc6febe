"""Whether amounts can be brought into one currency: which codes there are, which have a rate, and which rows say none."""

from collections import Counter
from collections.abc import Iterator, Mapping

from shopmill.source.database import Source
from shopmill.source.findings import Finding, counted, percent
from shopmill.source.selection import Selection
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
    own, rates = source.settings.currency, _with_rates(source, there)
    if not own and len(words) > 1:
        text = f"has {counted(words.items())}, and SHOPMILL_CURRENCY does not say which one is the shop's own: nothing is published"
        yield Finding(subject, "error", text, "set SHOPMILL_CURRENCY, and give exchange_rates", suffers)
    if own and (unknown := {word: number for word, number in words.items() if word not in {own, *rates}}):
        what = "and their rows are rejected" if rates else "and nothing is published"
        fix = f"give exchange_rates into {own}, or write codes such as {own} in the mapping where {min(unknown)} means one"
        yield Finding(
            subject,
            "warn" if rates else "error",
            f"has no exchange rate for {counted(unknown.items())}, {what}",
            fix,
            suffers,
        )
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


def _with_rates(source: Source, there: Mapping[str, Selection]) -> set[str]:
    if RATES not in there:
        return set()
    rates = there[RATES]
    query = f"select distinct {source.trimmed('mapped.currency::text')} from {rates.mapped} where mapped.rate > 0"
    return {code(str(word)) for (word,) in source.rows(rates.table, query)}
