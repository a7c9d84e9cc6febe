"""TF-IDF of a catalogue beside scikit-learn."""

from typing import Any

from benchmarks.shop import whole
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

ARTICLES = 105_542


def _texts(place: Place) -> list[str]:
    """As many texts as the shop has articles at scale 1.0, at every scale: the articles are written with numbers."""
    import duckdb

    found = duckdb.execute(
        f"select concat_ws(' ', prod_name, product_type_name, colour_group_name, detail_desc) from '{whole(place, 'articles')}'"
    ).fetchall()
    texts = [row[0] for row in found]
    count = ARTICLES if place.scale >= 0.01 else len(texts)  # noqa: PLR2004 - below, something is tried
    return [f"{texts[i % len(texts)]} {i // len(texts):05d}" for i in range(count)]


def ours(place: Place, clock: Clock) -> Results:
    import pandas  # noqa: F401 - pyarrow imports it for its first array, and what is imported is no part of the work

    from shopmill.text.tfidf import fit_tfidf

    texts = _texts(place)
    ids = [str(number) for number in range(len(texts))]
    with clock:
        found = fit_tfidf(ids, texts, min_df=2)
    return _written(place, found.matrix, found.vocabulary["term"].to_pylist())


def scikit_learn(place: Place, clock: Clock) -> Results:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = _texts(place)
    vectoriser = TfidfVectorizer(min_df=2, token_pattern=r"[^\W_]{2,}", dtype=np.float32)
    with clock:
        matrix = vectoriser.fit_transform(texts)
    return _written(place, matrix, list(vectoriser.get_feature_names_out()))


def _written(place: Place, matrix: Any, terms: list[str]) -> Results:
    """The matrix as rows of text, term and weight."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = matrix.tocoo()
    columns = {
        "text": pa.array(cells.row, pa.int32()),
        "term": pa.array(terms, pa.string()).take(pa.array(cells.col, pa.int32())),
        "weight": pa.array(cells.data.astype("float64")),
    }
    pq.write_table(pa.table(columns), place.result("weights"))
    return {"weights": str(place.result("weights"))}


STAGE = Stage(
    name="tfidf",
    what="TF-IDF of 105,542 texts",
    tables=("articles",),
    contenders=(Contender("shopmill", ours), Contender("scikit-learn", scikit_learn)),
    compared=(Compared("weights", ("text", "term"), 1e-5),),
)
