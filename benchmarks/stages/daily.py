"""timeseries beside its daily table of articles by utilsforecast and mlforecast, and by DuckDB by hand."""

from typing import Any

from benchmarks.shop import AS_OF, by_hand, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

ON_SALE_DAYS, LEAST = 36500, 7  # always on sale: mlforecast has no word for a day that is no row to look back at
SOLD = """
  select article_id as unique_id, t_dat as ds, sum(coalesce(quantity, 1))::double as y
  from '{transactions}'
  where t_dat is not null and article_id is not null and price >= 0 and coalesce(quantity, 1) > 0
  group by article_id, t_dat
"""
BY_HAND = f"""
copy (
  with sold as ({SOLD}),
  stretch as (
    select *, lead(ds) over (partition by unique_id order by ds) as next_ds
    from sold
  ),
  grid as (
    select unique_id, cast(ds + step::integer as date) as ds,
      case when step = 0 then y else 0 end as y
    from (select *, unnest(range(date_diff('day', ds, coalesce(next_ds, date '{AS_OF}')))) as step from stretch)
  )
  select unique_id, ds, y,
    lag(y, 1) over series as lag_1, lag(y, 7) over series as lag_7, lag(y, 28) over series as lag_28,
    case when count(y) over last_7 >= {LEAST} then avg(y) over last_7 end as rolling_mean_lag1_w7,
    case when count(y) over last_30 >= {LEAST} then avg(y) over last_30 end as rolling_mean_lag1_w30,
    case when count(y) over last_7 >= {LEAST} then stddev_samp(y) over last_7 end as rolling_std_lag1_w7,
    case when count(y) over last_30 >= {LEAST} then stddev_samp(y) over last_30 end as rolling_std_lag1_w30
  from grid
  window series as (partition by unique_id order by ds),
    last_7 as (partition by unique_id order by ds rows between 7 preceding and 1 preceding),
    last_30 as (partition by unique_id order by ds rows between 30 preceding and 1 preceding)
  order by ds, unique_id
) to '{{target}}' (format parquet, compression zstd)
"""


def ours(place: Place, clock: Clock) -> Results:
    return run_dataset("timeseries", place, clock, {"on_sale_days": ON_SALE_DAYS})


def duckdb_by_hand(place: Place, clock: Clock) -> Results:
    target = place.result("article_daily")
    with by_hand(place) as connection, clock:
        connection.execute(BY_HAND.format(transactions=place.raw("transactions"), target=target))
    return {"article_daily": str(target)}


def mlforecast(place: Place, clock: Clock) -> Results:
    """As their docs say: sums by day, fill_gaps, then lags and windows."""
    import os

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    from datetime import date, timedelta

    import polars as pl
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean, RollingStd
    from utilsforecast.preprocessing import fill_gaps

    target, units = place.result("article_daily"), pl.col("quantity").fill_null(1).cast(pl.Float64)
    with clock:
        sold = (
            pl.scan_parquet(place.raw("transactions"))
            .filter(
                pl.col("t_dat").is_not_null()
                & pl.col("article_id").is_not_null()
                & (pl.col("price") >= 0)
                & (units > 0)
            )
            .group_by(pl.col("article_id").alias("unique_id"), pl.col("t_dat").alias("ds"))
            .agg(units.sum().alias("y"))
            .collect(engine="streaming")
        )
        filled = fill_gaps(sold, freq="1d", end=date.fromisoformat(AS_OF) - timedelta(days=1))
        filled = filled.with_columns(pl.col("y").fill_null(0.0))
        windows: list[Any] = [kind(size, min_samples=LEAST) for size in (7, 30) for kind in (RollingMean, RollingStd)]
        forecast = MLForecast(
            models=[], freq="1d", lags=[1, 7, 28], lag_transforms={1: windows}, num_threads=place.threads
        )
        made: Any = forecast.preprocess(filled, dropna=False)
        named = {f"lag{k}": f"lag_{k}" for k in (1, 7, 28)} | {
            f"rolling_{what}_lag1_window_size{n}_min_samples{LEAST}": f"rolling_{what}_lag1_w{n}"
            for n in (7, 30)
            for what in ("mean", "std")
        }
        made = made.rename(named).with_columns(pl.col(list(named.values())).fill_nan(None))
        made.write_parquet(target, compression="zstd")
    return {"article_daily": str(target)}


STAGE = Stage(
    name="daily",
    what="`timeseries`, all its tables, checks and files, articles always on sale",
    tables=("transactions", "articles", "promotions"),
    contenders=(
        Contender("shopmill", ours),
        Contender("DuckDB by hand, articles by day alone", duckdb_by_hand),
        Contender("utilsforecast and mlforecast, articles by day alone", mlforecast),
    ),
    compared=(Compared("article_daily", ("unique_id", "ds"), 1e-5),),
)
