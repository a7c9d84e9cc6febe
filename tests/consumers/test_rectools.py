"""RecTools, in its own environment: builds a Dataset, takes the folds, fits and recommends."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from conftest import OWN_PYTHON, Written

pytest.importorskip("rectools")


def test_rectools_builds_a_dataset_splits_and_recommends(exported: Callable[..., Written], proof: Any) -> None:
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.metrics import Recall
    from rectools.models import PopularModel

    written = exported("user_item_interactions", "rectools", python=OWN_PYTHON)
    rows, users, items, folds = (
        duckdb.read_parquet(str(written.folder / f"{name}.parquet")).df()  # this pandas finds no pyarrow that fits
        for name in ("interactions", "user_features", "item_features", "folds")
    )
    assert str(folds["end"].iloc[-1].date()) == "2018-01-01"
    dataset = Dataset.construct(
        rows, user_features_df=users[users["id"].isin(rows[Columns.User])], cat_user_features=[*users["feature"].unique()],
        item_features_df=items[items["id"].isin(rows[Columns.Item])], cat_item_features=[*items["feature"].unique()],
    )  # fmt: skip
    assert dataset.get_user_item_matrix().shape == (rows["user_id"].nunique(), rows["item_id"].nunique())
    last = folds.iloc[-1]
    train = rows[rows["datetime"] < last["start"]]
    test = rows[(rows["datetime"] >= last["start"]) & (rows["datetime"] < last["end"])]
    assert len(train) + len(test) == len(rows)
    known = test[test["user_id"].isin(train["user_id"])]
    model = PopularModel().fit(Dataset.construct(train))
    found = model.recommend(known["user_id"].unique(), Dataset.construct(train), k=10, filter_viewed=False)
    assert 0 < Recall(k=10).calc(found, known) < 1
    done = "Dataset with features, last fold, popular articles, recall@10"
    proof("rectools", done, written, len(rows), "duckdb.read_parquet")
