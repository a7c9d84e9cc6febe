"""Which language a text is in, with a confidence; from bundled data, offline, the same on every run."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

import pyarrow as pa
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from shopmill.text.languages import USUAL, writable
from shopmill.text.strings import Texts, as_list

LEAST_CONFIDENCE = 0.5
SURE = 0.5  # from here on a language counts although the shop does not expect it
FAR_LIKELIER = 5  # than any that the shop expects: a text is in none of them, and in this one only if it is sure
NO_LANGUAGE = "zxx"  # sizes and prices
MOST_CHARACTERS = 5_000  # a language shows in the first page; a hostile megabyte must not cost seconds

SCHEMA = pa.schema(
    [pa.field("lang", pa.string()), pa.field("lang_confidence", pa.float64(), metadata={"unit": "probability"})]
)

_MASKS = re.compile(r"\[(?:email|phone)\]")


@lru_cache(maxsize=2)  # unpacking the model takes a second
def _identifier(expected: frozenset[str]) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(USUAL | expected | {NO_LANGUAGE}))
    return identifier


def _is_undecided(likely: Sequence[tuple[str, float]]) -> bool:
    """Whether the words say nothing about which of several languages they are in."""
    return len(likely) > 1 and likely[0][1] == likely[1][1]


class LanguageDetector:
    """Detects a language; below `least_confidence`, as short texts often are, none.

    Where languages are `expected`, a text that is not clearly in another one is taken to be in one of them: no other is sure,
    or far likelier. So short texts get a language: `Perfect!` in a shop that expects English and Portuguese.
    """

    def __init__(self, expected: Collection[str] = (), *, least_confidence: float = LEAST_CONFIDENCE) -> None:
        self.least_confidence = least_confidence
        self._expected = frozenset(expected)
        self._identifier = _identifier(self._expected)

    def detect(self, text: str) -> tuple[str | None, float]:
        """Return the language, or None when unsure, and the probability of the best guess in [0, 1]."""
        words = _MASKS.sub(" ", text[:MOST_CHARACTERS])
        if not any(map(str.isalpha, words)):
            return None, 0.0
        language, confidence = self._guess(words)
        rounded = round(confidence, 4)
        known = rounded >= self.least_confidence and language != NO_LANGUAGE
        return (language if known else None), rounded

    def _guess(self, words: str) -> tuple[str, float]:
        if not self._expected:
            language, confidence = self._identifier.classify(words)
            return language, float(confidence)
        ranked = [(language, float(probability)) for language, probability in self._identifier.rank(words)]
        first, confidence = ranked[0]
        if confidence >= SURE and first not in self._expected:
            return first, confidence
        possible = self._expected & writable(words)
        likely = [(language, probability) for language, probability in ranked if language in possible]
        if not likely or confidence > FAR_LIKELIER * likely[0][1] or _is_undecided(likely):
            return first, confidence
        return likely[0][0], likely[0][1] / sum(probability for _, probability in likely)

    def detect_texts(self, texts: Texts) -> pa.RecordBatch:
        """Detect a column: SCHEMA's columns, in order. A null or empty text has neither language nor confidence."""
        found = [self.detect(text) if text else (None, None) for text in as_list(texts)]
        columns = [pa.array([f[0] for f in found], pa.string()), pa.array([f[1] for f in found], pa.float64())]
        return pa.record_batch(columns, schema=SCHEMA)
