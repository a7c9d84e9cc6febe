"""A bounded look at the values of a shop's tables: never more than some rows of each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shopmill.source.database import Source
from shopmill.source.findings import counted
from shopmill.source.proposal.tables import ShopColumn, ShopTable
from shopmill.source.proposal.vocabulary import CURRENCIES, TYPES

SAMPLE = 100_000
WORDS = 12
ALL = 1000
"""So many words that a vocabulary is seen as a whole."""
A_FEW = 0.02


@dataclass(frozen=True)
class Words:
    """The most frequent words of a column, with their numbers, and how many rows were looked at."""

    counts: dict[str, int]
    rows: int

    def listed(self, words: list[str] | None = None) -> str:
        """Words with their numbers, for people."""
        chosen = self.counts if words is None else {word: self.counts[word] for word in words}
        return counted(chosen.items())

    def spelt(self, as_compared: Callable[[str], str]) -> "Words":
        """The same in the spelling in which a run compares them."""
        found: Counter[str] = Counter()
        for word, number in self.counts.items():
            found[as_compared(word)] += number
        return Words(dict(found.most_common()), self.rows)


def words_of(source: Source, rows: str, expression: str, most: int = WORDS) -> Words:
    """The words of an expression over some of the rows of a table or of a mapped SELECT."""
    some = f"select {source.trimmed(f'({expression})::text')} as word from {rows} limit {SAMPLE}"
    counted = (
        f"select word, count(*), sum(count(*)) over ()::int8 from ({some}) as looked_at where word <> '' group by word "
        f"order by count(*) desc, word limit {most}"
    )
    found = source.answers(counted)
    return Words({str(word): int(str(number)) for word, number, _ in found}, int(str(found[0][2])) if found else 0)


def count(source: Source, rows: str, columns: str, condition: str) -> tuple[int, int]:
    """How many of some rows fulfil a condition, and how many were looked at."""
    some = f"select {columns} from {rows} limit {SAMPLE}"
    [(number, total)] = source.answers(
        f"select count(*) filter (where {condition}), count(*) from ({some}) as looked_at"
    )
    return int(str(number)), int(str(total))


def currency_column(source: Source, table: ShopTable, taken: set[str]) -> ShopColumn | None:
    """A column that holds nothing but codes of currencies, whatever it is called."""
    for column in table.columns.values():
        if column.name not in taken and column.type in TYPES["text"]:
            words = words_of(source, table.sql, column.sql)
            if words.counts and {word.upper() for word in words.counts} <= CURRENCIES:
                return column
    return None
