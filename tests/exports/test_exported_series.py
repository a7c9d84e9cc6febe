"""What is known of the days ahead: the series on sale, the calendar, and the promotions that the shop has planned."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.exports.export import export
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

AS_OF = "2020-11-25"  # a Wednesday; the next day is Thanksgiving


@pytest.fixture
def published(settings: Settings, shop_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """0001 and 0002 are on sale, 0003 was not sold for long."""
    sold = [("2020-11-02", "0001"), ("2020-11-24", "0001"), ("2020-11-23", "0002"), ("2020-08-01", "0003")]
    lines = [{"t_dat": day, "customer_id": "c1", "article_id": article, "price": 1} for day, article in sold]
    articles = [
        {"article_id": "0001", "index_group_name": "Ladieswear", "product_group_name": "Shoes"},
        {"article_id": "0002", "index_group_name": "Menswear", "product_group_name": "Socks"},
        {"article_id": "0003", "index_group_name": "Kids", "product_group_name": "Hats"},
    ]
    promotions = [
        {"product_group_name": "Shoes", "starts_on": "2020-11-27", "ends_on": "2020-11-27", "kind": "sale"},
        {"article_id": "0002", "starts_on": "2020-11-01", "ends_on": None, "kind": "sale"},
    ]
    fill_shop(shop_dsn, {"transactions": lines, "articles": articles, "promotions": promotions})
    steps.run_all(Run.create(datasets.load("timeseries"), AS_OF, settings, {**LENIENT, "country": "US"}))
    monkeypatch.setenv("SHOPMILL_STORE", settings.store)
    return settings


def test_the_next_days_of_what_is_on_sale(published: Settings) -> None:
    ahead = shopmill.future(3)
    assert ahead[["unique_id", "ds"]].astype(str).to_numpy().tolist() == [
        [article, f"2020-11-{day}"] for article in ("0001", "0002") for day in (25, 26, 27)
    ]
    assert str(ahead["ds"].dtype) == "datetime64[ns]"
    assert ahead["is_promo"].tolist() == [0, 0, 1, 1, 1, 1]
    assert ahead["is_holiday"].tolist() == [0, 1, 0, 0, 1, 0]
    assert ahead["day_of_week"].tolist() == [3, 4, 5, 3, 4, 5]


def test_the_next_weeks_begin_with_the_one_that_is_not_over(published: Settings) -> None:
    ahead = shopmill.future(2, table="category_weekly")
    assert ahead["ds"].dt.strftime("%m-%d").tolist() == ["11-23", "11-30"] * 2
    assert ahead["unique_id"].tolist() == ["Ladieswear"] * 2 + ["Menswear"] * 2
    assert ahead["is_promo"].tolist() == [1, 0, 1, 1]


def test_a_week_that_is_not_over_is_promoted_by_its_days_before_as_of(
    settings: Settings, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it will be in the history once it is over."""
    promotion = {"article_id": "0001", "starts_on": "2020-11-23", "ends_on": "2020-11-24", "kind": "over"}
    lines = [
        {"t_dat": "2020-11-24", "customer_id": "c1", "article_id": article, "price": 1} for article in ("0001", "0002")
    ]
    fill_shop(shop_dsn, {"transactions": lines, "promotions": [promotion]})
    steps.run_all(Run.create(datasets.load("timeseries"), AS_OF, settings, LENIENT))
    monkeypatch.setenv("SHOPMILL_STORE", settings.store)
    assert shopmill.future(2, table="article_weekly")["is_promo"].tolist() == [1, 0, 0, 0]
    assert shopmill.future(2)["is_promo"].tolist() == [0] * 4


def test_history_has_no_null_and_the_columns_of_the_future(published: Settings, tmp_path: Path) -> None:
    options = {"table": "article_daily", "horizon": 7, "only_on_sale": "false"}
    done = export("timeseries", "nixtla", tmp_path / "out", options=options, settings=published)
    train, future = (pd.read_parquet(tmp_path / "out" / f"{name}.parquet") for name in ("train", "future"))
    assert not train.isna().any().any()
    assert set(train.columns) - {"y", "weight"} == set(future.columns)
    off_sale = train[(train["unique_id"] == "0003") & (train["ds"] == "2020-11-24")]
    assert (off_sale["y"].tolist(), off_sale["weight"].tolist()) == ([0.0], [0.0])
    assert done.rows["future.parquet"] == 14
    assert {str(kind) for kind in (train["y"].dtype, train["weight"].dtype)} == {"float64"}


def test_levels_sum_as_the_matrix_says(published: Settings, tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    export("timeseries", "hierarchicalforecast", tmp_path / "out", settings=published)
    series = pq.read_table(tmp_path / "out" / "series.parquet").to_pylist()
    assert [row["unique_id"] for row in series] == ["total", "category/Ladieswear", "category/Menswear", "0001", "0002"]
    matrix = sparse.load_npz(tmp_path / "out" / "summing.npz").toarray()
    assert matrix.tolist() == [[1, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
    y = pd.read_parquet(tmp_path / "out" / "y.parquet").pivot_table(index="unique_id", columns="ds", values="y")
    bottom = y.loc[["0001", "0002"]].to_numpy()
    assert (matrix @ bottom == y.loc[[row["unique_id"] for row in series]].to_numpy()).all()


def test_what_is_no_horizon_or_series_is_refused(published: Settings) -> None:
    for horizon in (0, 367, 7.5, "7", True):
        with pytest.raises(InvalidInputError, match=rf"horizon={horizon!r} must be in \[1, 366\]"):
            shopmill.future(horizon)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="table='hierarchy' holds no series: name one of article_daily"):
        shopmill.future(7, table="hierarchy")


@pytest.mark.parametrize("to", ["nixtla", "gluonts", "hierarchicalforecast"])
def test_a_shop_that_sells_nothing_any_more_has_no_future(published: Settings, tmp_path: Path, to: str) -> None:
    parameters = {**LENIENT, "country": "US", "fresh_days": 900, "stale_days": 900}
    steps.run_all(Run.create(datasets.load("timeseries"), "2021-11-25", published, parameters))
    with pytest.raises(InvalidInputError, match="No series of article_daily was on sale on 2021-11-24"):
        export("timeseries", to, tmp_path / "out", settings=published)
    assert list(tmp_path.glob("*out*")) == []
