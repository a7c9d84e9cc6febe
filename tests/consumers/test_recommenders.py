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
    proof("implicit", "fits ALS and recommends 10 articles", written, matrix.nnz, "scipy.sparse.load_npz")


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


def test_relbench_makes_the_labels_that_we_publish(
    shop: Settings, exported: Callable[..., Written], proof: Any
) -> None:
    relbench = pytest.importorskip("relbench")
    written = exported(INTERACTIONS, "relbench")
    loaded = relbench.load_dataset(written.folder)
    assert set(loaded.get_task_names()) == {"user-churn", "item-sales"}
    database = loaded.get_db(upto_test_timestamp=False)
    for task_name, entity, label in (
        ("user-churn", "customer", "user_churn_7d"),
        ("item-sales", "article", "item_sales_7d"),
    ):
        task = loaded.load_task(task_name)
        table = task.get_table("test", mask_input_cols=False, db=database).df
        names = database.table_dict[entity].df.set_index(f"{entity}_id")[entity]
        made = pd.Series(table[task.target_col].to_numpy(), index=names[table[task.entity_col]].to_numpy())
        ours = shopmill.load("training_labels").to_pandas(f"{entity}_labels", where=f"label = '{label}'")
        expected = ours.set_index(ours[f"{entity}_id"].astype(str))["value"]
        assert set(ours["origin"]) == {loaded.test_timestamp + pd.Timedelta("1 day")}
        known = expected[expected.index.isin(made.index)]
        assert float(expected.sum()) == pytest.approx(float(known.sum()))
        assert made[known.index].to_numpy() == pytest.approx(known.to_numpy())
        assert (made.drop(known.index) == 0).all()
    churn = loaded.load_task("user-churn")
    train = churn.get_table("train", db=database).df
    often = train.groupby("customer_id")["churn"].mean()
    asked = churn.get_table("test", db=database).df["customer_id"]
    score = churn.evaluate(often.reindex(asked).fillna(train["churn"].mean()).to_numpy())["roc_auc"]
    assert score > 0.6
    done = "makes both tasks of rel-hm, equal to training_labels, and evaluates a baseline"
    proof("relbench", done, written, len(database.table_dict["log"].df), "relbench.load_dataset(FOLDER)")
