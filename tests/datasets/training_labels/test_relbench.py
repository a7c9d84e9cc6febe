"""RelBench's two tasks of rel-hm, computed after its own definitions on a shop of H&M's shape, are labels here.

user-churn asks customers with a transaction in (timestamp - 7 days, timestamp]; churn is 1 without one in (timestamp,
timestamp + 7 days]. item-sales asks every article for the sum of prices in (timestamp, timestamp + 7 days].
"""

from collections.abc import Callable
from datetime import timedelta

import pandas as pd
import pytest

from shopmill import datasets
from shopmill.reading import load
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic

TIMESTAMPS = ("2020-09-07", "2020-09-14")
"""RelBench's validation and test."""
WEEK = pd.Timedelta(days=7)


@pytest.fixture
def shop(database: Callable[[], str], settings: Settings) -> Settings:
    dsn = database()
    synthetic.load(dsn, 0.0005)
    return Settings(**{**settings.model_dump(), "source_dsn": dsn})


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    with synthetic.tables(0.0005) as tables:
        lines = tables.sql("select t_dat::timestamp as t_dat, customer_id, article_id, price from transactions").df()
        return lines, tables.sql("select article_id from articles").df()


def test_user_churn_and_item_sales_are_relbenchs(shop: Settings) -> None:
    lines, articles = frames()
    for timestamp in map(pd.Timestamp, TIMESTAMPS):
        origin = timestamp + timedelta(days=1)
        as_of = str((origin + WEEK).date())
        steps.run_all(Run.create(datasets.load("training_labels"), as_of, shop))
        opened = load("training_labels", as_of, shop.store)

        after = lines[(lines["t_dat"] > timestamp) & (lines["t_dat"] <= timestamp + WEEK)]
        active = lines[(lines["t_dat"] > timestamp - WEEK) & (lines["t_dat"] <= timestamp)]["customer_id"].unique()
        churn = opened.to_pandas("customer_labels", where="label = 'user_churn_7d'")
        assert (churn["origin"] == origin).all()
        expected = pd.Series(~pd.Index(active).isin(after["customer_id"]), index=active).astype(float).sort_index()
        assert churn.set_index("customer_id")["value"].to_dict() == expected.to_dict()
        assert 0 < expected.mean() < 1

        sales = opened.to_pandas("article_labels", where="label = 'item_sales_7d'").set_index("article_id")["value"]
        summed = after.groupby("article_id")["price"].sum().reindex(articles["article_id"], fill_value=0).astype(float)
        assert set(sales.index) >= set(summed.index)  # and what was sold without being in the catalogue
        assert sales[summed.index].to_dict() == pytest.approx(summed.to_dict())
