"""How much will each category sell in the next four weeks? mlforecast on timeseries, against the same day of the week before.

python examples/forecast.py    # with SHOPMILL_STORE and SHOPMILL_TIME_ZONE of a store that has the versions named below
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean, SeasonalRollingMean
from mlforecast.target_transforms import LocalStandardScaler
from sklearn.linear_model import Ridge

import shopmill

AS_OF, LATER, HORIZON = "2017-12-04", "2018-01-01", 28
TABLE = "category_daily"


def main() -> dict[str, float]:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        shopmill.export("timeseries", "nixtla", out, AS_OF, {"table": TABLE, "horizon": HORIZON})
        train, future = (pd.read_parquet(out / f"{name}.parquet") for name in ("train", "future"))

    forecast = MLForecast(
        models={"model": Ridge()},
        freq="D",
        lags=[1, 7, 14, 21, 28],
        lag_transforms={1: [RollingMean(28)], 7: [SeasonalRollingMean(season_length=7, window_size=4)]},
        target_transforms=[LocalStandardScaler()],
    )
    forecast.fit(train, static_features=[], weight_col="weight")
    predicted = forecast.predict(HORIZON, X_df=future)

    last_week = train[train["ds"] >= train["ds"].max() - pd.Timedelta(days=6)].assign(
        day=lambda f: f["ds"].dt.dayofweek
    )
    naive = last_week[["unique_id", "day", "y"]].rename(columns={"y": "naive"})
    sold = shopmill.load("timeseries", LATER).to_pandas(TABLE, ["unique_id", "ds", "y"], f"ds >= date '{AS_OF}'")
    both = predicted.merge(sold.assign(y=sold["y"].astype(float)), on=["unique_id", "ds"])
    both = both.assign(day=both["ds"].dt.dayofweek).merge(naive, on=["unique_id", "day"]).dropna()

    def wape(column: str) -> float:
        """The sum of absolute errors as a share of what was sold."""
        return float(np.abs(both[column] - both["y"]).sum() / both["y"].sum())

    metrics = {"wape": wape("model"), "wape of the baseline": wape("naive")}
    print(f"trained as of {AS_OF}, tested on {len(both):,} days of {both['unique_id'].nunique()} categories after it")
    print(*(f"{name}: {value:.4f}" for name, value in metrics.items()), sep="\n")
    return metrics


if __name__ == "__main__":
    main()
