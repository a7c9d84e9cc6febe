"""Feast and pymc-marketing: features of customers in what serves and models them."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import shopmill
from conftest import Written
from shopmill.settings import Settings


def test_feast_materialises_and_answers(shop: Settings, exported: Callable[..., Written], proof: Any) -> None:
    pytest.importorskip("feast")
    from feast import FeatureStore

    written = exported("customer_features", "feast", "as_ofs=3")
    command = [str(Path(sys.executable).with_name("feast")), "apply"]
    subprocess.run(command, cwd=written.folder, check=True, capture_output=True, timeout=300)
    served = FeatureStore(str(written.folder))
    served.materialize(datetime(2017, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC))
    features = [f"customer_features:{name}" for name in ("spend_sum_30d", "rfm_segment")]
    current = shopmill.load("customer_features").to_pandas().set_index("customer_id")
    customer = current.index[0]
    online = served.get_online_features(features=features, entity_rows=[{"customer_id": customer}]).to_dict()
    assert online["spend_sum_30d"] == [pytest.approx(current.loc[customer, "spend_sum_30d"])]
    assert online["rfm_segment"] == [current.loc[customer, "rfm_segment"]]
    asked = pd.DataFrame(
        {"customer_id": [customer] * 2, "event_timestamp": pd.to_datetime(["2017-10-15", "2018-01-02"], utc=True)}
    )
    past = served.get_historical_features(entity_df=asked, features=features).to_df().sort_values("event_timestamp")
    october = shopmill.load("customer_features", "2017-10-01").to_pandas().set_index("customer_id")
    expected = [frame.loc[customer, "spend_sum_30d"] for frame in (october, current)]
    assert past["spend_sum_30d"].tolist() == pytest.approx(expected)
    proof(
        "feast",
        "applies, materialises, answers online and at two points in time",
        written,
        written.rows["features.parquet"],
        "FileSource with explicit schema",
    )


def test_pymc_marketing_fits_and_values_customers(exported: Callable[..., Written], proof: Any) -> None:
    clv = pytest.importorskip("pymc_marketing.clv")
    written = exported("customer_features", "pymc-marketing")
    frame = pd.read_parquet(written.folder / "rfm.parquet")
    assert {str(kind) for kind in frame.drop(columns="customer_id").dtypes} == {"float64"}
    model = clv.BetaGeoModel(data=frame)
    model.fit(method="map", progressbar=False)
    bought = model.expected_purchases(future_t=90).mean(("chain", "draw")).to_numpy()
    assert len(bought) == len(frame)
    assert bought.min() >= 0
    regular = frame["frequency"] >= frame["frequency"].quantile(0.9)
    assert bought[regular].mean() > bought[~regular].mean()
    proof(
        "pymc-marketing",
        "fits BetaGeoModel, expects purchases of 90 days",
        written,
        len(frame),
        "BetaGeoModel(data=...)",
    )
