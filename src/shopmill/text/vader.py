"""VADER's compound score, several times as fast as the library and equal to it for every text.

What VADER asks of a word is asked once a word, not once a text. A word of the lexicon keeps its own valence unless a word
that VADER has a rule for is near it, so only then the library's rules are asked, with the few words that they look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
    SentiText,
    normalize,
)

WORDS_BEFORE, WORDS_AFTER = 3, 2
"""How far from a word VADER's rules look for what changes its valence."""
WORDS_KEPT = 2**16
BEFORE_BUT, AFTER_BUT = 0.5, 1.5

_OF_PHRASES = {max(phrase.split(), key=len) for phrase in (*SPECIAL_CASES, *BOOSTER_DICT) if " " in phrase}
"""A word of each phrase that has a valence of its own: without that word the phrase is not there."""
_WITH_A_RULE = {*BOOSTER_DICT, *NEGATE, *_OF_PHRASES, "no", "so", "this", "least"}


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a text, and what VADER's rules ask of it. One that changes other words has no valence of its own."""

    text: str
    lower: str
    is_upper: bool
    has_rule: bool
    has_valence: bool
    valence: float


@dataclass(frozen=True)
class _Nearby:
    """What the library's rules read of a text, under the library's names."""

    words_and_emoticons: Sequence[str]
    is_cap_diff: bool


class Vader:
    """Scores texts with the lexicon, the rules and the constants of the library."""

    def __init__(self) -> None:
        self._library = SentimentIntensityAnalyzer()
        self._emoji = frozenset(self._library.emojis)
        self._word = lru_cache(WORDS_KEPT)(self._new_word)
        self._changed = lru_cache(WORDS_KEPT)(self._changed_valence)

    def compound(self, text: str) -> float:
        """Return the sentiment of the whole text: -1 (worst) to 1 (best), in steps of 0.0001."""
        spelled = text if self._emoji.isdisjoint(text) else self._spelled_out(text)
        total = sum(self._valences([self._word(token) for token in spelled.split()]))
        if not total:
            return 0.0
        emphasis = self._library._punctuation_emphasis(spelled)
        return float(round(normalize(total + emphasis if total > 0 else total - emphasis), 4))

    def _spelled_out(self, text: str) -> str:
        """Emoji become their names, parted by a space from what is before them."""
        found: list[str] = []
        for character in text:
            name = self._library.emojis.get(character)
            if name and found and found[-1] != " ":
                found.append(" ")
            found.append(name or character)
        return "".join(found)

    def _new_word(self, token: str) -> _Word:
        text = SentiText._strip_punc_if_word(token)
        lower = text.lower()
        has_rule = lower in _WITH_A_RULE or "n't" in lower
        has_valence = lower in self._library.lexicon and lower not in BOOSTER_DICT
        return _Word(text, lower, text.isupper(), has_rule, has_valence, self._library.lexicon.get(lower, 0.0))

    def _valences(self, words: list[_Word]) -> list[float]:
        """The valences of the words of the lexicon, in order. All other words have none, which adds nothing."""
        some_upper = 0 < sum([word.is_upper for word in words]) < len(words)
        found = {
            i: self._valence(words, i, some_upper)
            for i, word in enumerate(words)
            if word.has_valence and not _is_kind_of(words, i)
        }
        lower = [word.lower for word in words]
        return _contrasted(found, lower.index("but")) if "but" in lower else list(found.values())

    def _valence(self, words: list[_Word], i: int, some_upper: bool) -> float:
        word, first = words[i], max(0, i - WORDS_BEFORE)
        near = words[first : i + WORDS_AFTER + 1]
        has_rule = any([one.has_rule for one in near])  # noqa: C419 - of so few, a list takes half the time
        if has_rule or (word.is_upper and some_upper):
            return self._changed(tuple([one.text for one in near]), i - first, some_upper)
        return word.valence

    def _changed_valence(self, near: tuple[str, ...], i: int, some_upper: bool) -> float:
        """By the library's rules: boosters, negations, capitals and phrases."""
        return float(self._library.sentiment_valence(0, _Nearby(near, some_upper), near[i], i, [])[0])


def _is_kind_of(words: list[_Word], i: int) -> bool:
    return words[i].lower == "kind" and i + 1 < len(words) and words[i + 1].lower == "of"


def _contrasted(valences: dict[int, float], but: int) -> list[float]:
    """Weigh what is before and after the first "but".

    The library looks for each valence by its value, and finds the first one that is equal: an earlier one, where it is
    what that became. Its scores include this.
    """
    places, found = list(valences), list(valences.values())
    for k in range(len(found)):
        first = found.index(found[k])
        if places[first] != but:
            found[first] *= BEFORE_BUT if places[first] < but else AFTER_BUT
    return found
