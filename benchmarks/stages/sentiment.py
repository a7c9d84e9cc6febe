"""VADER over a column of reviews beside vaderSentiment in a loop."""

from benchmarks.shop import whole
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

REVIEWS = 20_000


def _texts(place: Place) -> list[str]:
    import duckdb

    query = f"select review_text from '{whole(place, 'reviews')}' where review_text is not null limit {REVIEWS}"
    return [row[0] for row in duckdb.execute(query).fetchall()]


def ours(place: Place, clock: Clock) -> Results:
    import pandas  # noqa: F401 - pyarrow imports it for its first array, and what is imported is no part of the work

    from shopmill.text.sentiment import SentimentScorer

    texts = _texts(place)
    with clock:
        scores = SentimentScorer().score_texts(texts, ["en"] * len(texts))
    return _written(place, scores["sentiment_compound"].to_pylist())


def vader_in_a_loop(place: Place, clock: Clock) -> Results:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    texts = _texts(place)
    with clock:
        analyser = SentimentIntensityAnalyzer()
        scores = [analyser.polarity_scores(text)["compound"] for text in texts]
    return _written(place, scores)


def _written(place: Place, scores: list[float]) -> Results:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"text": pa.array(range(len(scores)), pa.int32()), "compound": pa.array(scores, pa.float64())}
    pq.write_table(pa.table(columns), place.result("scores"))
    return {"scores": str(place.result("scores"))}


STAGE = Stage(
    name="sentiment",
    what="VADER of 20,000 reviews",
    tables=("reviews",),
    contenders=(Contender("shopmill", ours), Contender("vaderSentiment in a loop", vader_in_a_loop)),
    compared=(Compared("scores", ("text",)),),
)
