"""What Python computes of a review: its clean text, its language, its sentiment."""

import pyarrow as pa

from shopmill.run.functions import Batches, Context
from shopmill.text.clean import clean_texts, duplicate_key
from shopmill.text.language import LanguageDetector
from shopmill.text.sentiment import SentimentScorer

MIDDLE_RATING, RATING_REACH = 3, 2
"""Ratings from 1 to 5 lie as far from 3 as sentiment from 0, in steps of half."""


def clean_reviews(_: Context, batches: Batches) -> Batches:
    """`review_text` becomes the columns of clean.SCHEMA and `duplicate_key`, all null without text; others stay."""
    for batch in batches:
        cleaned = clean_texts(batch["review_text"])
        keys = [None if text is None else duplicate_key(text) for text in cleaned["text_clean"].to_pylist()]
        rest = batch.drop_columns(["review_text"])
        yield _beside(rest, cleaned).append_column("duplicate_key", pa.array(keys, pa.string()))


def score_reviews(context: Context, batches: Batches) -> Batches:
    """Language, sentiment and `rating_sentiment_gap` beside the columns given, `text_clean` and `rating` among them."""
    expected = [code for code in str(context.bound["languages"]).split(",") if code]
    detector = LanguageDetector(expected, least_confidence=float(context.bound["min_lang_confidence"]))
    scorer = SentimentScorer()
    for batch in batches:
        languages = detector.detect_texts(batch["text_clean"])
        sentiments = scorer.score_texts(batch["text_clean"], languages["lang"])
        pairs = zip(batch["rating"].to_pylist(), sentiments["sentiment_compound"].to_pylist(), strict=True)
        gaps = pa.array([gap(rating, compound) for rating, compound in pairs], pa.float64())
        yield _beside(_beside(batch, languages), sentiments).append_column("rating_sentiment_gap", gaps)


def gap(rating: int, compound: float | None) -> float | None:
    """How much better a review rates than it reads, in [-2, 2]: the rating on sentiment's scale, less the sentiment."""
    return None if compound is None else round((rating - MIDDLE_RATING) / RATING_REACH - compound, 4)


def _beside(left: pa.RecordBatch, right: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*left.columns, *right.columns], names=[*left.schema.names, *right.schema.names])
