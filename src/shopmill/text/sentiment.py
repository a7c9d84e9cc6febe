"""Baseline sentiment: VADER, for English alone."""

from typing import Literal

import pyarrow as pa

from shopmill.text.strings import Texts, as_list
from shopmill.text.typography import ascii_punctuation
from shopmill.text.vader import Vader

Label = Literal["positive", "neutral", "negative"]

LANGUAGES_KNOWN = frozenset({"en"})
THRESHOLD = 0.05
MOST_CHARACTERS = 2_000  # VADER spells each emoji out and walks each word several times

SCHEMA = pa.schema([pa.field("sentiment_compound", pa.float64()), pa.field("sentiment_label", pa.string())])


class SentimentScorer:
    """Scores English text with VADER's lexicon and rules."""

    def __init__(self) -> None:
        self._vader = Vader()

    def compound(self, text: str) -> float:
        """Return the sentiment of the first 2,000 characters: -1 (worst) to 1 (best), in steps of 0.0001."""
        return self._vader.compound(ascii_punctuation(text[:MOST_CHARACTERS]))

    def score_texts(self, texts: Texts, languages: Texts) -> pa.RecordBatch:
        """Score a column beside the column of its languages: SCHEMA's columns, in order.

        Null for a null text and for any language but English, an unknown one included.
        """
        pairs = zip(as_list(texts), as_list(languages), strict=True)
        known = [text if lang in LANGUAGES_KNOWN else None for text, lang in pairs]
        score_of = {text: self.compound(text) for text in dict.fromkeys(known) if text is not None}
        scores = [None if text is None else score_of[text] for text in known]
        labels = [None if score is None else label(score) for score in scores]
        return pa.record_batch([pa.array(scores, pa.float64()), pa.array(labels, pa.string())], schema=SCHEMA)


def label(compound: float) -> Label:
    """Return VADER's published reading of a compound score."""
    if compound >= THRESHOLD:
        return "positive"
    return "negative" if compound <= -THRESHOLD else "neutral"
