"""Published versions as Arrow, pandas, Polars and DuckDB."""

from pathlib import Path

import duckdb
import pytest
from golden import LENIENT, fill_shop

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DATASET = "user_item_interactions"


@pytest.fixture
def store(settings: Settings, shop_dsn: str) -> str:
    lines = [
        {"t_dat": f"2020-09-{day}", "customer_id": f"c{day}", "article_id": "0001", "price": 1} for day in (20, 21)
    ]
    fill_shop(shop_dsn, {"transactions": lines})
    for as_of in ("2020-09-21", "2020-09-22"):
        steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, LENIENT))
    return settings.store


def test_every_way_of_reading_gives_the_same_rows(store: str) -> None:
    opened = shopmill.load(DATASET, store=store)
    assert (opened.as_of, set(opened.tables)) == (
        "2020-09-22",
        {"interactions", "customer_index", "article_index", "rejects"},
    )
    expected = [{"customer_id": "c20", "customer_index": 0}, {"customer_id": "c21", "customer_index": 1}]
    assert opened.to_arrow("customer_index").to_pylist() == expected
    assert opened.to_pandas("customer_index").to_dict("records") == expected
    assert opened.to_polars("customer_index").to_dicts() == expected
    with duckdb.connect() as connection:
        assert opened.to_duckdb("customer_index", connection).columns == ["customer_id", "customer_index"]
        assert opened.to_duckdb("customer_index", connection).fetchall() == [("c20", 0), ("c21", 1)]
    assert opened.to_arrow().num_rows == 2
    assert opened.version in repr(opened)


def test_pandas_reads_the_folder_of_a_table(store: str) -> None:
    import pandas as pd

    frame = pd.read_parquet(Path(shopmill.load(DATASET, store=store).path) / "interactions")
    assert frame["customer_id"].tolist() == ["c20", "c21"]


def test_an_as_of_is_chosen_and_a_missing_one_refused(store: str) -> None:
    assert shopmill.load(DATASET, "2020-09-21", store).to_arrow()["customer_id"].to_pylist() == ["c20"]
    with pytest.raises(InvalidInputError, match=r"as of 2020-09-20.*newest"):
        shopmill.load(DATASET, "2020-09-20", store)
    with pytest.raises(InvalidInputError, match="no table 'x'"):
        shopmill.load(DATASET, store=store).to_arrow("x")
    with pytest.raises(InvalidInputError, match="no dataset"):
        shopmill.load("x", store=store)
