import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment import vaderSentiment
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from shopmill.text.sentiment import SentimentScorer, label
from shopmill.text.typography import ascii_punctuation
from shopmill.text.vader import Vader

# The example sentences and compound scores that VADER's authors publish.
PUBLISHED = [
    ("VADER is smart, handsome, and funny.", 0.8316),
    ("VADER is smart, handsome, and funny!", 0.8439),
    ("VADER is very smart, handsome, and funny.", 0.8545),
    ("VADER is VERY SMART, handsome, and FUNNY.", 0.9227),
    ("VADER is VERY SMART, handsome, and FUNNY!!!", 0.9342),
    ("VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!", 0.9469),
    ("VADER is not smart, handsome, nor funny.", -0.7424),
    ("The book was good.", 0.4404),
    ("At least it isn't a horrible book.", 0.431),
    ("The book was only kind of good.", 0.3832),
    ("The plot was good, but the characters are uncompelling and the dialog is not great.", -0.7042),
    ("Today SUX!", -0.5461),
    ("Today only kinda sux! But I'll get by, lol", 0.5249),
    ("Make sure you :) or :D today!", 0.8633),
    ("Catch utf-8 emoji such as 💘 and 💋 and 😁", 0.875),
    ("Not bad at all", 0.431),
]


@pytest.fixture(scope="module")
def scorer() -> SentimentScorer:
    return SentimentScorer()


@pytest.mark.parametrize(("text", "compound"), PUBLISHED)
def test_published_examples_have_their_published_scores(scorer: SentimentScorer, text: str, compound: float) -> None:
    assert scorer.compound(text) == compound


@pytest.mark.parametrize(
    ("compound", "expected"),
    [(0.05, "positive"), (0.0499, "neutral"), (0.0, "neutral"), (-0.0499, "neutral"), (-0.05, "negative")],
)
def test_label(compound: float, expected: str) -> None:
    assert label(compound) == expected


def test_only_english_is_scored(scorer: SentimentScorer) -> None:
    texts = ["The book was good.", "The book was good.", "The book was good.", None, ""]
    rows = scorer.score_texts(texts, ["en", "de", None, "en", "en"]).to_pylist()
    assert [row["sentiment_compound"] for row in rows] == [0.4404, None, None, None, 0.0]
    assert [row["sentiment_label"] for row in rows] == ["positive", None, None, None, "neutral"]


VADER, LIBRARY = Vader(), SentimentIntensityAnalyzer()
WITH_RULES = [*vaderSentiment.BOOSTER_DICT, *vaderSentiment.NEGATE, *vaderSentiment.SPECIAL_CASES]
WORDS = st.one_of(
    st.sampled_from(
        ["good", "bad", "GREAT", "no", "not", "never", "so", "this", "without", "doubt", "nor", "or", "very"]
    ),
    st.sampled_from(
        ["least", "at", "the", "but", "BUT", "kind", "of", "to", "Don't", "isn't", ":)", ":D", "💘", "👶🏻", "☺️"]
    ),
    st.sampled_from(WITH_RULES),
    st.sampled_from(sorted(LIBRARY.lexicon)),
    st.sampled_from(sorted(LIBRARY.emojis)),
    st.text(max_size=8),
)
SPELLED = st.builds(lambda word, change: change(word), WORDS, st.sampled_from([str, str, str.upper, str.title]))
ENDS = st.sampled_from([" ", " ", " ", ", ", "! ", "?? ", "!!! ", "", "\n"])
SENTENCES = st.lists(st.builds(str.__add__, SPELLED, ENDS), max_size=14).map("".join)


@settings(deadline=None, max_examples=500)
@given(SENTENCES)
def test_scores_are_those_of_the_library(text: str) -> None:
    assert VADER.compound(text) == LIBRARY.polarity_scores(text)["compound"]


@settings(deadline=None)
@given(SENTENCES)
def test_punctuation_is_read_as_ascii_first(scorer: SentimentScorer, text: str) -> None:
    assert scorer.compound(text) == LIBRARY.polarity_scores(ascii_punctuation(text))["compound"]


@pytest.mark.parametrize("piece", ["good ", "not good but ", "never so good bad ", "!", "?", "💘", "a"])
def test_a_hostile_megabyte_takes_less_than_two_seconds(scorer: SentimentScorer, piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    started = time.process_time()
    scorer.compound(text)
    assert time.process_time() - started < 2
