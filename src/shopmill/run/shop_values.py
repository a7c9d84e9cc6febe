"""Settings of the shop that SQL may name: what its rows mean depends on them, whichever dataset reads them."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from shopmill.declaration import Dataset
from shopmill.engine.compose import views_of
from shopmill.settings import Settings
from shopmill.source.first_sale import first_sale
from shopmill.source.snapshot import UNDATED, Snapshot
from shopmill.vocabulary import event_words, small

NONE: Mapping[str, Snapshot] = {}


def shop_values(settings: Settings, inputs: Mapping[str, Snapshot] = NONE) -> Mapping[str, Any]:
    """The values by name. `$cancelled_statuses` and `$sold_statuses` have each word between bars, in small letters.

    `$event_words` has pairs of a word and what it means: see event_words.sql. `$first_sale` depends on the days of which
    there are transactions.
    """
    return {
        "first_day": settings.first_day,
        "first_sale": _first_sale(settings, inputs),
        "shop_currency": settings.currency,
        "cancelled_statuses": _between_bars(settings.cancelled_statuses),
        "sold_statuses": _between_bars(settings.sold_statuses),
        "event_words": "|".join(f"{word}>{meaning}" for word, meaning in _event_words(settings)),
    }


def _between_bars(words: Iterable[str]) -> str:
    return f"|{'|'.join(sorted({small(word) for word in words}))}|"


def _first_sale(settings: Settings, inputs: Mapping[str, Snapshot]) -> date:
    files = inputs["transactions"].files if "transactions" in inputs else ()
    rows = {date.fromisoformat(file.day): file.rows for file in files if file.day != UNDATED}
    return first_sale(rows, settings.first_day, settings.longest_gap_days)


def _event_words(settings: Settings) -> Iterable[tuple[str, str]]:
    return sorted(event_words(settings.event_vocabulary, settings.event_types).items())


def named_shop_values(dataset: Dataset, settings: Settings, inputs: Mapping[str, Snapshot]) -> dict[str, str]:
    """Those that the tables of a dataset depend on, as texts."""
    views = {name: sql for query in dataset.sql.values() for name, sql in views_of(dataset, query).items()}
    named = set(re.findall(r"\$(\w+)", "\n".join((*dataset.sql.values(), *views.values()))))
    return {name: str(value) for name, value in shop_values(settings, inputs).items() if name in named}
