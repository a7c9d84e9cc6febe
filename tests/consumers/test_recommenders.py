"""implicit, Gorse's documents, RelBench: interactions in the libraries that learn from them."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import shopmill
from conftest import Written
from shopmill.settings import Settings

INTERACTIONS = "user_item_interactions"


def test_implicit_fits_and_recommends(shop: Settings, exported: Callable[..., Written], proof: Any) -> None:
    als = pytest.importorskip("implicit.als")
    sparse = pytest.importorskip("scipy.sparse")
    written = exported(INTERACTIONS, "implicit")
    matrix = sparse.load_npz(written.folder / "matrix.npz")
    articles = pd.read_parquet(written.folder / "articles.parquet")["article_id"]
    customers = pd.read_parquet(written.folder / "customers.parquet")["customer_id"]
    assert matrix.shape == (len(customers), len(articles))
    assert matrix.has_canonical_format
    row = shopmill.load(INTERACTIONS).to_pandas(where="time_weighted_score > 0.01").iloc[[0, -1]]
    for interaction in row.itertuples():
        found = matrix[
            customers[customers == interaction.customer_id].index[0],
            articles[articles == interaction.article_id].index[0],
        ]
        assert found == pytest.approx(interaction.time_weighted_score, rel=1e-6)
    model = als.AlternatingLeastSquares(factors=16, iterations=3, num_threads=1, random_state=0)
    model.fit(matrix, show_progress=False)
    ids, scores = model.recommend(0, matrix[0], N=10)
    assert set(articles[ids]).isdisjoint(articles[matrix[0].indices])
    assert list(scores) == sorted(scores, reverse=True)
    proof("implicit", "fits ALS and recommends 10 articles", written, "scipy.sparse.load_npz")


def test_gorse_documents_are_those_of_its_api(shop: Settings, exported: Callable[..., Written]) -> None:
    written = exported(INTERACTIONS, "gorse")
    first = {}
    for name in ("users", "items", "feedback"):
        with (written.folder / f"{name}.jsonl").open() as lines:
            first[name] = json.loads(next(lines))
    assert set(first["users"]) == {"UserId", "Labels"}
    assert set(first["items"]) == {"ItemId", "IsHidden", "Categories", "Timestamp", "Labels", "Comment"}
    assert set(first["feedback"]) == {"FeedbackType", "UserId", "ItemId", "Value", "Timestamp"}
    pd.Timestamp(first["feedback"]["Timestamp"])
    assert written.rows["users.jsonl"] == shopmill.load(INTERACTIONS).manifest.rows("customer_index")
