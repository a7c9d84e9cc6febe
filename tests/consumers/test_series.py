"""mlforecast, hierarchicalforecast, GluonTS: the series in the libraries that forecast them."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import Written


@pytest.mark.parametrize(
    ("table", "frequency", "horizon"), [("category_daily", "D", 14), ("category_weekly", "W-MON", 4)]
)
def test_mlforecast_fits_with_weights_and_predicts_with_the_future(
    exported: Callable[..., Written], proof: Any, table: str, frequency: str, horizon: int
) -> None:
    mlforecast = pytest.importorskip("mlforecast")
    linear = pytest.importorskip("sklearn.linear_model")
    written = exported("timeseries", "nixtla", f"table={table}", f"horizon={horizon}")
    train, future = (pd.read_parquet(written.folder / f"{name}.parquet") for name in ("train", "future"))
    assert not train.isna().any().any()
    assert set(train.columns) - {"y", "weight"} == set(future.columns)
    forecast = mlforecast.MLForecast(models=[linear.LinearRegression()], freq=frequency, lags=[1, 7])
    forecast.fit(train, static_features=[], weight_col="weight")
    predicted = forecast.predict(horizon, X_df=future)
    assert len(predicted) == len(future) == train["unique_id"].nunique() * horizon
    assert predicted["ds"].min() == future["ds"].min() == pd.Timestamp("2018-01-01")
    assert np.isfinite(predicted["LinearRegression"]).all()
    proof(
        "mlforecast",
        f"fits with weights, predicts {horizon} steps with the future frame",
        written,
        len(train),
        "pandas.read_parquet",
    )


def test_hierarchicalforecast_reconciles_all_articles(exported: Callable[..., Written], proof: Any) -> None:
    pytest.importorskip("hierarchicalforecast")
    from hierarchicalforecast.core import HierarchicalReconciliation, SMatrix
    from hierarchicalforecast.methods import BottomUpSparse, MinTraceSparse
    from scipy.sparse import load_npz

    written = exported("timeseries", "hierarchicalforecast", "frequency=weekly")
    levels = pd.read_parquet(written.folder / "y.parquet")
    series = pd.read_parquet(written.folder / "series.parquet")
    tags = {level: np.array(ids) for level, ids in json.loads((written.folder / "tags.json").read_text()).items()}
    summing = load_npz(written.folder / "summing.npz")
    assert summing.shape == (len(series), len(tags["article"]))
    last = levels.groupby("unique_id", sort=False).tail(1).rename(columns={"y": "naive"})
    noisy = last.assign(naive=last["naive"] * 1.1 + 1)
    matrix = SMatrix(summing, series["unique_id"].to_numpy(), tags["article"])
    core = HierarchicalReconciliation([BottomUpSparse(), MinTraceSparse("ols")])
    found = core.reconcile(Y_hat_df=noisy, tags=tags, S_df=matrix).set_index("unique_id")
    methods = [name for name in found.columns if name.startswith("naive/")]
    assert len(methods) == 2
    for method in methods:
        assert found.loc["total", method] == pytest.approx(found.loc[tags["article"], method].sum(), rel=1e-6)
    done = "reconciles bottom-up and MinTrace, all articles"
    proof("hierarchicalforecast", done, written, len(levels), "SMatrix of scipy CSR")


def test_gluonts_predicts(exported: Callable[..., Written], proof: Any) -> None:
    pytest.importorskip("gluonts")
    from gluonts.dataset.pandas import PandasDataset
    from gluonts.model.seasonal_naive import SeasonalNaivePredictor

    written = exported("timeseries", "gluonts", "table=article_weekly", "horizon=4")
    frame = pd.read_parquet(written.folder / "series.parquet")
    static = pd.read_parquet(written.folder / "static.parquet").set_index("item_id").astype("category")
    dataset = PandasDataset.from_long_dataframe(
        frame, item_id="item_id", timestamp="timestamp", target="target", freq="W-SUN", static_features=static,
        feat_dynamic_real=["is_holiday", "is_promo"],
    )  # fmt: skip
    assert len(dataset) == frame["item_id"].nunique()
    forecast = next(iter(SeasonalNaivePredictor(prediction_length=4, season_length=1).predict(dataset)))
    assert str(forecast.start_date) == "2018-01-01/2018-01-07"
    proof(
        "gluonts",
        "PandasDataset of all articles, seasonal naive forecast",
        written,
        len(frame),
        "PandasDataset.from_long_dataframe",
    )
