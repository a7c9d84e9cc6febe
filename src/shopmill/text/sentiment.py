"""Baseline sentiment: VADER, for English alone."""

from typing import Literal

import pyarrow as pa
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from shopmill.text.strings import Texts, as_list
from shopmill.text.typography import ascii_punctuation

Label = Literal["positive", "neutral", "negative"]

LANGUAGES_KNOWN = frozenset({"en"})
THRESHOLD = 0.05
MOST_CHARACTERS = 2_000  # VADER spells each emoji out and walks each word several times
WORDS_BEFORE = 3
"""How many words before a word may negate it, in VADER's rules."""

SCHEMA = pa.schema([pa.field("sentiment_compound", pa.float64()), pa.field("sentiment_label", pa.string())])


class _Analyzer(SentimentIntensityAnalyzer):  # type: ignore[misc]  # it has no types
    """VADER, in linear time: its own check of negations lowers all words of the text for each word."""

    @staticmethod
    def _negation_check(valence: float, words: list[str], start_i: int, i: int) -> float:
        first = max(0, i - WORDS_BEFORE)
        checked = SentimentIntensityAnalyzer._negation_check(valence, words[first : i + 1], start_i, i - first)
        return float(checked)


class SentimentScorer:
    """Scores English text with VADER's lexicon and rules."""

    def __init__(self) -> None:
        self._analyzer = _Analyzer()

    def compound(self, text: str) -> float:
        """Return the sentiment of the first 2,000 characters: -1 (worst) to 1 (best), in steps of 0.0001."""
        return float(self._analyzer.polarity_scores(ascii_punctuation(text[:MOST_CHARACTERS]))["compound"])

    def score_texts(self, texts: Texts, languages: Texts) -> pa.RecordBatch:
        """Score a column beside the column of its languages: SCHEMA's columns, in order.

        Null for a null text and for any language but English, an unknown one included.
        """
        pairs = zip(as_list(texts), as_list(languages), strict=True)
        scores = [self.compound(t) if t is not None and lang in LANGUAGES_KNOWN else None for t, lang in pairs]
        labels = [None if score is None else label(score) for score in scores]
        return pa.record_batch([pa.array(scores, pa.float64()), pa.array(labels, pa.string())], schema=SCHEMA)


def label(compound: float) -> Label:
    """Return VADER's published reading of a compound score."""
    if compound >= THRESHOLD:
        return "positive"
    return "negative" if compound <= -THRESHOLD else "neutral"
