"""Who is to be erased: their id as a customer, and what else is theirs alone, such as orders and visitors."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from shopmill.personal import MASK, SOURCE_ROW

FORMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "customer_id": (("customer", "{}"),),
    "user_id": (("customer", "customer:{}"), ("visitor", "visitor:{}"), ("session", "visitor:{}")),
    "visitor_key": (("customer", "customer:{}"), ("visitor", "visitor_id:{}"), ("session", "visitor:{}")),
    "visitor_id": (("visitor", "{}"),),
    "session_id": (("session", "{}"),),
    "order_id": (("order", "{}"),),
    "review_id": (("review", "{}"),),
}
"""What the columns of raw and published tables identify, and how they write it."""
TOKEN = re.compile(r"[^\s,;:'\"()\[\]{}<>]+")
BEFORE, AFTER = r"(?<![\w-])(?<!\d[.,])", r"(?![\w-])(?![.,]\d)"
"""What a word has beside it: the 1 of 0.1 and of 1,000 is none."""
LONG = 6
"""An id that is shorter and has digits only could be any number of a message."""

HASH_DIGITS = 8
MESSAGES_KEPT = 10_000
TELLING = 20
"""A text that is shorter, such as `Great!`, is anybody's."""


@dataclass(frozen=True)
class Person:
    """The ids of a person by kind, the e-mail addresses of their row, and the texts that they wrote."""

    ids: Mapping[str, frozenset[str]]
    addresses: frozenset[str] = frozenset()
    texts: frozenset[str] = field(default=frozenset(), repr=False)
    hash: str = ""
    """The keyed hash of the customer's id."""

    @property
    def mark(self) -> str:
        """What ends the name that stands for their id where it was numbered: no other customer can have such an id."""
        return self.hash[:HASH_DIGITS]

    @cached_property
    def named(self) -> Mapping[str, frozenset[str]]:
        """The values of each column that make a row theirs."""
        written = {
            column: frozenset(form.format(value) for kind, form in forms for value in self.ids.get(kind, ()))
            for column, forms in FORMS.items()
        }
        return {column: values for column, values in written.items() if values}

    def has(self, text: str | None) -> bool:
        """Whether a row that is written as JSON is theirs."""
        try:
            row = json.loads(text or "{}")
        except ValueError:
            return False
        return isinstance(row, dict) and any(row.get(column) in values for column, values in self.named.items())

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        """What is theirs wherever it stands as a word."""
        texts = {text for text in self.texts if len(text) >= TELLING}
        broken = {value for value in self._others if not TOKEN.fullmatch(value)}
        every = {*self.ids["customer"], *self.addresses, *texts, *broken}
        values = sorted({form for value in every for form in _written(value)}, key=len, reverse=True)
        return re.compile("|".join(f"{BEFORE}{re.escape(value)}{AFTER}" for value in values), re.IGNORECASE)

    @cached_property
    def _tokens(self) -> frozenset[str]:
        return frozenset(value for value in self._others if len(value) >= LONG or not value.isdigit())

    @property
    def _others(self) -> Iterator[str]:
        """The ids of what is theirs."""
        return (value for kind, values in self.ids.items() if kind != "customer" for value in values)

    def masked(self, text: str) -> str:
        """A message without anything of theirs."""
        return self._masking(text) if text else text

    @cached_property
    def _masking(self) -> Callable[[str], str]:
        """What masks a message: checks of many runs say the same."""
        return lru_cache(MESSAGES_KEPT)(self._masked_anew)

    def _masked_anew(self, text: str) -> str:
        plain = self._plain.sub(MASK, text)
        return TOKEN.sub(lambda found: MASK if found[0].rstrip(".") in self._tokens else found[0], plain)

    def masked_document(self, value: Any) -> Any:
        """JSON, each of its texts masked."""
        if isinstance(value, str):
            return self.masked(value)
        if isinstance(value, dict):
            return {name: self.masked_document(one) for name, one in value.items()}
        return [self.masked_document(one) for one in value] if isinstance(value, list) else value


def _written(value: str) -> set[str]:
    """How programs write a value in their messages."""
    quoted = {repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, value.replace("'", "''"), *quoted}


def kinds_in(columns: Iterable[str]) -> list[str]:
    """Those of the columns that can make a row somebody's."""
    return [name for name in columns if name in FORMS or name == SOURCE_ROW]
