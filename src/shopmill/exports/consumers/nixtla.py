"""Nixtla (mlforecast, statsforecast, neuralforecast): history, future and static frames of one table of series.

    train.parquet    unique_id, ds, y, weight, and what is known ahead: calendar, promotions
    future.parquet   unique_id, ds and the same columns for the next `horizon` days (weeks): X_df of predict
    static.parquet   unique_id and what never changes

No value is null. Where nobody knows y (`not_on_sale`) it is 0 with weight 0: give `weight_col="weight"`. Frequency: D, and
of weekly tables W-MON. `predict` wants the series of the future alone: those on sale at as_of - 1, which is what
`train.parquet` holds by default; `only_on_sale=false` keeps the others, for global models that learn from them.
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.exports.consumer import Consumer
from shopmill.exports.series import TABLES, Series, counts
from shopmill.exports.source import Source


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Three queries."""
    series = Series.of(source, str(source.options["table"]))
    future = source.write_parquet(series.future(int(source.options["horizon"])), folder / "future.parquet")
    chosen = "semi join on_sale using (unique_id)" if source.options["only_on_sale"] else ""
    history = f"select * from ({series.history()}) as history {chosen}"
    static = f"select * from ({series.static()}) as static {chosen}"
    return counts(
        train=source.write_parquet(f"{history} order by unique_id, ds", folder / "train.parquet"),
        future=future,
        static=source.write_parquet(f"{static} order by unique_id", folder / "static.parquet"),
    )


CONSUMER = Consumer(
    name="nixtla",
    loads="history with weights, a future frame and static features",
    writes={"timeseries": write},
    options=(
        Parameter("table", "text", "article_daily", f"which series: {', '.join(TABLES)}"),
        Parameter("horizon", "integer", 28, "days ahead, or weeks of a weekly table", 1, 366),
        Parameter("only_on_sale", "boolean", True, "whether series are left out that were not on sale at as_of - 1"),
    ),
)
