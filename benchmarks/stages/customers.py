"""customer_features beside the purchase windows of it by DuckDB by hand and by Polars."""

from typing import TYPE_CHECKING

from benchmarks.shop import AS_OF, by_hand, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

if TYPE_CHECKING:
    import polars as pl

WINDOWS = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "lifetime": 100_000}


def _sums(name: str, days: int) -> str:
    holds = f"filter (where age_days <= {days})"
    return f"""
    count(age_days) {holds} as transactions_count_{name}, coalesce(sum(quantity) {holds}, 0) as units_sum_{name},
    coalesce(sum(amount) {holds}, 0) as spend_sum_{name}, max(amount) {holds} as spend_max_{name},
    count(distinct age_days) {holds} as active_days_count_{name}, count(distinct article_id) {holds} as articles_distinct_{name},
    avg(amount::double) {holds} as spend_avg_{name},
    count(age_days) filter (where age_days <= {days} and sales_channel_id = 1) / nullif(count(age_days) {holds}, 0)
      as channel_1_share_{name}"""


BY_HAND = f"""
copy (
  with bought as (
    select customer_id, article_id, sales_channel_id, coalesce(quantity, 1) as quantity,
      (price * coalesce(quantity, 1))::decimal(18, 6) as amount, date_diff('day', t_dat, date '{AS_OF}') as age_days
    from '{{transactions}}'
    where t_dat is not null and customer_id is not null and article_id is not null and price >= 0
      and coalesce(quantity, 1) > 0
  ),
  everyone as (
    select customer_id from '{{customers}}'
    where customer_id is not null and coalesce(created_at < timestamptz '{AS_OF} 00:00:00+00', true)
    union select customer_id from bought
    union select customer_id from '{{orders}}'
    where customer_id is not null and order_id is not null and order_datetime is not null
  )
  select customer_id, {", ".join(_sums(name, days) for name, days in WINDOWS.items())},
    max(age_days) as days_since_first_purchase, min(age_days) as days_since_last_purchase
  from everyone
  left join bought using (customer_id)
  group by customer_id
  order by customer_id
) to '{{target}}' (format parquet, compression zstd)
"""


def ours(place: Place, clock: Clock) -> Results:
    return run_dataset("customer_features", place, clock)


def duckdb_by_hand(place: Place, clock: Clock) -> Results:
    target = place.result("features")
    files = {table: place.raw(table) for table in STAGE.tables}
    with by_hand(place) as connection, clock:
        connection.execute(BY_HAND.format(target=target, **files))
    return {"features": str(target)}


def polars_streaming(place: Place, clock: Clock) -> Results:
    import os
    from datetime import UTC, date, datetime

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    import polars as pl

    target, as_of = place.result("features"), date.fromisoformat(AS_OF)
    customer, age = pl.col("customer_id"), pl.col("age_days")
    with clock:
        units, price = pl.col("quantity").fill_null(1).cast(pl.Float64), pl.col("price").cast(pl.Float64)
        bought = (
            pl.scan_parquet(place.raw("transactions"))
            .filter(customer.is_not_null() & pl.col("article_id").is_not_null() & pl.col("t_dat").is_not_null())
            .filter((price >= 0) & (units > 0))
            .select(
                "customer_id",
                "article_id",
                "sales_channel_id",
                units.alias("units"),
                (price * units).alias("amount"),
                (pl.lit(as_of) - pl.col("t_dat")).dt.total_days().cast(pl.Int32).alias("age_days"),
            )
        )
        registered = pl.col("created_at").is_null() | (
            pl.col("created_at") < datetime(*as_of.timetuple()[:3], tzinfo=UTC)
        )
        ordered = pl.col("order_id").is_not_null() & pl.col("order_datetime").is_not_null()
        everyone = pl.concat(
            [
                pl.scan_parquet(place.raw("customers")).filter(registered).select("customer_id"),
                bought.select("customer_id"),
                pl.scan_parquet(place.raw("orders")).filter(ordered).select("customer_id"),
            ]
        )
        sums = [one for name, days in WINDOWS.items() for one in _polars_sums(name, age <= days)]
        features = bought.group_by("customer_id").agg(
            *sums, age.max().alias("days_since_first_purchase"), age.min().alias("days_since_last_purchase")
        )
        everyone = everyone.filter(customer.is_not_null()).unique().join(features, on="customer_id", how="left")
        zero = pl.col(r"^(transactions_count|units_sum|spend_sum|active_days_count|articles_distinct)_.*$").fill_null(0)
        everyone.with_columns(zero).sort("customer_id").sink_parquet(target, compression="zstd", engine="streaming")
    return {"features": str(target)}


def _polars_sums(name: str, holds: "pl.Expr") -> "list[pl.Expr]":
    import polars as pl

    amount = pl.col("amount").filter(holds)
    n_lines = holds.sum().cast(pl.Int64)
    return [
        n_lines.alias(f"transactions_count_{name}"),
        pl.col("units").filter(holds).sum().alias(f"units_sum_{name}"),
        amount.sum().alias(f"spend_sum_{name}"),
        amount.max().alias(f"spend_max_{name}"),
        amount.mean().alias(f"spend_avg_{name}"),
        pl.col("age_days").filter(holds).n_unique().cast(pl.Int64).alias(f"active_days_count_{name}"),
        pl.col("article_id").filter(holds).n_unique().cast(pl.Int64).alias(f"articles_distinct_{name}"),
        (pl.col("sales_channel_id").filter(holds) == 1)
        .sum()
        .truediv(pl.when(n_lines > 0).then(n_lines))
        .alias(f"channel_1_share_{name}"),
    ]


STAGE = Stage(
    name="customers",
    what="`customer_features`, all its columns, checks and files",
    tables=("customers", "transactions", "articles", "orders", "order_items", "events"),
    contenders=(
        Contender("shopmill", ours),
        Contender("DuckDB by hand, the purchase windows alone", duckdb_by_hand),
        Contender("Polars streaming, the purchase windows alone, float sums", polars_streaming),
    ),
    compared=(Compared("features", ("customer_id",), 1e-6),),
)
