"""The settings that are proposed, each with its reason; what the data do not decide is a question."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytz import country_timezones  # type: ignore[import-untyped]

from shopmill.source.database import Source
from shopmill.source.proposal.tables import ShopTable
from shopmill.source.proposal.values import ALL, Words, words_of
from shopmill.source.proposal.vocabulary import COUNTRIES, CURRENCIES, flat
from shopmill.source.selection import Selection
from shopmill.vocabulary import (
    EVENT_TYPES,
    PRESETS,
    SURELY_CANCELLED,
    code,
    event_words,
    may_be_a_return,
    normal,
    small,
)

SAYS_NOTHING = {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Universal", "Etc/Universal", "Zulu", "localtime", ""}
NEARLY_ALL = 0.9
SHOWN = 3
Value = str | tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A setting, or a parameter of a dataset; where it is not decided, `reason` is a question and `value` an example."""

    name: str
    value: Value
    reason: str
    is_decided: bool = True
    dataset: str = ""

    @property
    def line(self) -> str:
        """The line of shopmill.toml."""
        value = json.dumps(list(self.value) if isinstance(self.value, tuple) else self.value, ensure_ascii=False)
        return f"{'' if self.is_decided else '# '}{self.name} = {value}"


def time_zone(source: Source, country: str = "") -> Choice:
    """The zone of the database, or the only one of a country."""
    own = str(source.value("select reset_val from pg_settings where name = 'TimeZone'"))
    if own not in SAYS_NOTHING:
        return Choice("time_zone", own, "The time zone of the database. It decides what a day is.")
    zones = country_timezones.get(country, [])
    if len(zones) == 1:
        return Choice("time_zone", zones[0], f"The only time zone of {country}. It decides what a day is.")
    question = f"Which time zone is the shop in? The database's is {own or 'not set'}, which does not say. It decides what a day is."
    return Choice("time_zone", next(iter(zones), "Europe/Stockholm"), question, False)


def country(source: Source, tables: tuple[ShopTable, ...], zone: str) -> Choice:
    """Whose holidays count: of the country that nearly all rows name, or that the time zone is of."""
    seen = ""
    for table, words in _countries(source, tables):
        seen = seen or f" {table.sql} has {words.listed(list(words.counts)[:SHOWN])}."
        word, number = next(iter(words.counts.items()))
        if word.upper() in country_timezones and number >= NEARLY_ALL * words.rows:
            reason = (
                f"{number:,} of {words.rows:,} rows of {table.sql} are of {word.upper()}: its public holidays count."
            )
            return Choice("country", word.upper(), reason, dataset="timeseries")
    of_zone = next((code for code, zones in country_timezones.items() if zone in zones), "")
    if of_zone:
        question = f"Do the public holidays of {of_zone} count? {zone} is there."
    else:
        question = f"Which country's public holidays count?{seen} Without one there are none."
    return Choice("country", of_zone or "SE", question, False, "timeseries")


def _countries(source: Source, tables: tuple[ShopTable, ...]) -> Iterator[tuple[ShopTable, Words]]:
    for table in tables:
        for column in table.columns.values():
            if flat(column.name) in COUNTRIES and (words := words_of(source, table.sql, column.sql)).counts:
                yield table, words


def currency(source: Source, there: Mapping[str, Selection], of_rates: str) -> Choice | None:
    """The shop's own currency: that of the rates, or the only one; nothing where no table has currencies."""
    found = {
        name: words_of(source, selection.mapped, "mapped.currency").spelt(code)
        for name, selection in there.items()
        if name in {"transactions", "orders"} and "currency" in selection.types
    }
    name, words = next(iter(found.items()), ("", Words({}, 0)))
    codes = sorted(words.counts)
    if of_rates:
        return Choice("currency", of_rates, f"The exchange rates are in {of_rates}: amounts are converted into it.")
    if not words.counts:
        return None
    if len(codes) == 1 and codes[0] in CURRENCIES:
        return Choice("currency", codes[0], f"All {name} are in {codes[0]}.")
    question = f"Which currency is the shop's own? {words.listed()} of {name}. Amounts are converted by exchange_rates."
    return Choice("currency", codes[0], question, False)


def statuses(source: Source, there: Mapping[str, Selection]) -> Iterator[Choice]:
    """Which words mean that an order was cancelled: those that say so, and as a question those that may."""
    if "orders" not in there or "order_status" not in there["orders"].types:
        return
    words = words_of(source, there["orders"].mapped, "mapped.order_status", ALL).spelt(small)
    known = {small(word) for word in source.settings.cancelled_statuses}
    sure = [word for word in words.counts if any(part in word for part in SURELY_CANCELLED)]
    doubtful = [word for word in words.counts if word not in sure and may_be_a_return(word)]
    if set(sure) - known:
        yield Choice("cancelled_statuses", tuple(sure), f"Orders that were cancelled: {words.listed(sure)}.")
    if doubtful:
        question = f"Did these orders come back, wholly: {words.listed(doubtful)}? Then they count as cancelled."
        yield Choice("cancelled_statuses", (*(sure or sorted(known)), *doubtful), question, False)


def vocabulary(source: Source, there: Mapping[str, Selection]) -> Choice | None:
    """Whose words event_type has: of the tracker that knows most of them."""
    if "events" not in there:
        return None
    found = words_of(source, there["events"].mapped, "mapped.event_type")
    words = found.counts
    if not words:
        return None
    scores = {name: _known(name, words) for name in PRESETS}
    best = max(PRESETS, key=lambda name: scores[name])  # the first of equals: canonical before all
    if best == "canonical" and scores[best]:
        return None
    if scores[best]:
        return Choice("event_vocabulary", best, f"The words of event_type are those of {best}: {found.listed()}.")
    question = f"What do the words of event_type mean? {found.listed()}. Of: {', '.join(EVENT_TYPES)}."
    return Choice("event_types", f"{next(iter(words))}=view", question, False)


def _known(vocabulary: str, words: Mapping[str, int]) -> int:
    known: Callable[[str], str | None] = event_words(vocabulary, "").get
    return sum(number for word, number in words.items() if known(normal(word)) in EVENT_TYPES)
