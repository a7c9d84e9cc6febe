"""user_item_interactions beside DuckDB by hand, of its main table and of the whole, and beside Polars."""

from typing import TYPE_CHECKING

from benchmarks.shop import AS_OF, by_hand, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

if TYPE_CHECKING:
    import polars as pl

SIGNALS = """
create view judged_items as
select items.*, cast(coalesce(item_datetime, ordered_at) as date) as day, customer_id, is_cancelled,
  case
    when order_id is null then 'order_id is null'
    when order_id not in (select order_id from '{orders}' where order_id is not null) then 'its order is not in orders'
    when ordered_at is null then 'its order cannot be used'
    when article_id is null then 'article_id is null'
    when quantity is null then 'quantity is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem
from '{order_items}' as items
left join (
  select order_id, customer_id, order_datetime as ordered_at,
    lower(order_status) in ('cancelled', 'canceled', 'voided') as is_cancelled
  from '{orders}'
  where order_id is not null and order_datetime is not null
  qualify row_number() over (partition by order_id order by order_datetime) = 1
) as placed using (order_id);

create view returned as
select *,
  case
    when quantity > 0 then quantity
    when is_cancelled and max(quantity) over (partition by order_id, article_id) > 0 then 0
    else -quantity
  end as units
from judged_items
where problem is null and (quantity < 0 or is_cancelled);

create view signals as
select 'purchase' as signal, customer_id, article_id, t_dat as day, coalesce(quantity, 1) as units,
  (price * coalesce(quantity, 1))::decimal(18, 6) as spend, 1.0::double as weight
from '{transactions}'
where t_dat is not null and customer_id is not null and article_id is not null and price >= 0
  and coalesce(quantity, 1) > 0
union all
select case event_type when 'add_to_cart' then 'cart' else event_type end, customer_id, article_id,
  cast(event_datetime as date), 1, 0, case event_type when 'add_to_cart' then 0.3 when 'click' then 0.1 else 0.05 end
from (
  select *
  from '{events}'
  where event_type in ('view', 'click', 'add_to_cart')
    and event_id is not null and event_datetime is not null and customer_id is not null and article_id is not null
  qualify row_number() over (partition by event_id order by event_datetime) = 1
)
union all
select 'return', customer_id, article_id, day, units, 0, -1.0
from returned
where customer_id is not null and units > 0;
"""
INTERACTIONS = f"""
copy (
  select
    customer_id, article_id,
    count(*) filter (where signal = 'purchase') as purchase_count,
    coalesce(sum(units) filter (where signal = 'purchase'), 0) as unit_count,
    count(*) filter (where signal = 'view') as view_count,
    count(*) filter (where signal = 'click') as click_count,
    count(*) filter (where signal = 'cart') as cart_count,
    coalesce(sum(units) filter (where signal = 'return'), 0) as return_count,
    count(*) as interaction_count,
    sum(spend) as spend_sum,
    min(day) as first_interaction_date,
    max(day) as last_interaction_date,
    date_diff('day', max(day), date '{AS_OF}') as recency_days,
    sum(weight * 0.5 ** (date_diff('day', day, date '{AS_OF}') / 30)) as time_weighted_score
  from {{source}}
  group by customer_id, article_id
  order by customer_id, article_id
) to '{{target}}' (format parquet, compression zstd)
"""
THE_REST = """
copy (select day, customer_id, article_id, signal, units as quantity from signals order by day, customer_id, article_id)
to '{log}' (format parquet, compression zstd);
create table first_seen as
select customer_id, article_id, first_interaction_date as day from '{interactions}';
copy (
  select customer_id, row_number() over (order by min(day), customer_id) - 1 as customer_index
  from first_seen group by customer_id order by customer_id
) to '{customer_index}' (format parquet, compression zstd);
copy (
  select article_id, row_number() over (order by min(day), article_id) - 1 as article_index
  from first_seen group by article_id order by article_id
) to '{article_index}' (format parquet, compression zstd);
copy (
  select 'transactions' as source_table, to_json(sold) as source_row
  from '{transactions}' as sold
  where t_dat is null or article_id is null or price is null or price < 0 or coalesce(quantity, 1) <= 0
  union all
  select 'events', to_json(happened)
  from '{events}' as happened
  where event_type in ('view', 'click', 'add_to_cart') and customer_id is not null and article_id is not null
    and (event_id is null or event_datetime is null)
  union all
  select 'order_items', to_json(items) from judged_items as items where problem is not null
) to '{rejects}' (format parquet, compression zstd);
create table checked as
select count(*) as n, count(distinct (customer_id, article_id)) as n_keys, count(*) filter (where interaction_count <= 0),
  count(*) filter (where first_interaction_date > last_interaction_date), count(*) filter (where recency_days < 0),
  (select count(*) from signals) - sum(interaction_count) as lost
from '{interactions}';
"""


def ours(place: Place, clock: Clock) -> Results:
    return run_dataset("user_item_interactions", place, clock)


def main_table(place: Place, clock: Clock) -> Results:
    with by_hand(place) as connection, clock:
        connection.execute(SIGNALS.format(**_files(place)))
        target = place.result("interactions")
        connection.execute(INTERACTIONS.format(source="signals", target=target))
    return {"interactions": str(target)}


def whole_dataset(place: Place, clock: Clock) -> Results:
    results = {
        name: str(place.result(name)) for name in ("interactions", "log", "customer_index", "article_index", "rejects")
    }
    with by_hand(place) as connection, clock:
        connection.execute(SIGNALS.format(**_files(place)))
        connection.execute(INTERACTIONS.format(source="signals", target=results["interactions"]))
        connection.execute(THE_REST.format(**_files(place), **results))
    return {name: path for name, path in results.items() if name != "rejects"}


def _files(place: Place) -> dict[str, str]:
    return {table: place.raw(table) for table in STAGE.tables}


def polars_streaming(place: Place, clock: Clock) -> Results:
    import os

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    target = place.result("interactions")
    with clock:
        grouped = _polars_signals(place).group_by("customer_id", "article_id").agg(_polars_sums())
        frame = grouped.sort("customer_id", "article_id")
        frame.sink_parquet(target, compression="zstd", engine="streaming")
    return {"interactions": str(target)}


def _polars_sums() -> "list[pl.Expr]":
    import polars as pl

    of = {name: pl.col("signal") == name for name in ("purchase", "view", "click", "cart", "return")}
    as_of = pl.lit(AS_OF).str.to_date()
    age = (as_of - pl.col("day")).dt.total_days()
    counts = [of[name].sum().cast(pl.Int64).alias(f"{name}_count") for name in ("purchase", "view", "click", "cart")]
    return [
        *counts,
        pl.col("units").filter(of["purchase"]).sum().alias("unit_count"),
        pl.col("units").filter(of["return"]).sum().alias("return_count"),
        pl.len().cast(pl.Int64).alias("interaction_count"),
        pl.col("spend").sum().alias("spend_sum"),
        pl.col("day").min().alias("first_interaction_date"),
        pl.col("day").max().alias("last_interaction_date"),
        age.min().cast(pl.Int32).alias("recency_days"),
        (pl.col("weight") * (0.5 ** (age / 30))).sum().alias("time_weighted_score"),
    ]


def _polars_signals(place: Place) -> "pl.LazyFrame":
    import polars as pl

    def columns(
        signal: pl.Expr, day: pl.Expr, units: pl.Expr, spend: pl.Expr, weight: pl.Expr
    ) -> "list[str | pl.Expr]":
        named = {"signal": signal, "day": day, "units": units.cast(pl.Float64), "spend": spend, "weight": weight}
        return ["customer_id", "article_id", *(value.alias(name) for name, value in named.items())]

    known = pl.col("customer_id").is_not_null() & pl.col("article_id").is_not_null()
    units, price = pl.col("quantity").fill_null(1).cast(pl.Float64), pl.col("price").cast(pl.Float64)
    sold = pl.scan_parquet(place.raw("transactions")).filter(
        known & pl.col("t_dat").is_not_null() & (price >= 0) & (units > 0)
    )
    kind = pl.col("event_type")
    happened = (
        pl.scan_parquet(place.raw("events"))
        .filter(known & kind.is_in(["view", "click", "add_to_cart"]))
        .filter(pl.col("event_id").is_not_null() & pl.col("event_datetime").is_not_null())
        .unique(subset="event_id")
    )
    fading = pl.when(kind == "add_to_cart").then(0.3).when(kind == "click").then(0.1).otherwise(0.05)
    nothing = pl.lit(0.0)
    return pl.concat(
        [
            sold.select(columns(pl.lit("purchase"), pl.col("t_dat"), units, price * units, pl.lit(1.0))),
            happened.select(
                columns(
                    kind.replace("add_to_cart", "cart"), pl.col("event_datetime").dt.date(), pl.lit(1), nothing, fading
                )
            ),
            _polars_returns(place).select(
                columns(pl.lit("return"), pl.col("day"), pl.col("units"), nothing, pl.lit(-1.0))
            ),
        ]
    )


def _polars_returns(place: Place) -> "pl.LazyFrame":
    import polars as pl

    quantity, price = pl.col("quantity").cast(pl.Float64), pl.col("price").cast(pl.Float64)
    placed = (
        pl.scan_parquet(place.raw("orders"))
        .filter(pl.col("order_id").is_not_null() & pl.col("order_datetime").is_not_null())
        .sort("order_datetime")
        .unique(subset="order_id", keep="first")
        .select(
            "order_id",
            "customer_id",
            "order_datetime",
            pl.col("order_status").str.to_lowercase().is_in(["cancelled", "canceled", "voided"]).alias("is_cancelled"),
        )
    )
    back = (
        pl.scan_parquet(place.raw("order_items"))
        .join(placed, on="order_id")
        .filter(pl.col("article_id").is_not_null() & quantity.is_not_null() & (price >= 0))
        .filter((quantity < 0) | pl.col("is_cancelled").fill_null(False))
    )
    is_twice = pl.col("is_cancelled").fill_null(False) & (quantity.max().over("order_id", "article_id") > 0)
    units = pl.when(quantity > 0).then(quantity).when(is_twice).then(0.0).otherwise(-quantity)
    day = pl.coalesce("item_datetime", "order_datetime").dt.date()
    return back.with_columns(day.alias("day"), units.alias("units")).filter(
        pl.col("customer_id").is_not_null() & (pl.col("units") > 0)
    )


STAGE = Stage(
    name="interactions",
    what="`user_item_interactions`, all its tables, checks and files",
    tables=("transactions", "events", "orders", "order_items", "articles"),
    contenders=(
        Contender("shopmill", ours),
        Contender("DuckDB by hand, the main table alone", main_table),
        Contender("DuckDB by hand, all tables and checks", whole_dataset),
        Contender("Polars streaming, the main table alone, float sums", polars_streaming),
    ),
    compared=(
        Compared("interactions", ("customer_id", "article_id"), 1e-6),
        Compared("customer_index", ("customer_id",)),
        Compared("article_index", ("article_id",)),
    ),
)
