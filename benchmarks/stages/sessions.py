"""The sessions of events_and_funnels beside DuckDB by hand and Polars."""

from benchmarks.shop import by_hand, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

KINDS = ("view", "click", "add_to_cart", "remove_from_cart", "checkout", "purchase")
GAP_US, DAY_US = 30 * 60 * 1_000_000, 24 * 3600 * 1_000_000

BY_HAND = f"""
copy (
  with usable as (
    select *, coalesce('visitor:' || session_id, 'customer:' || customer_id) as visitor_key, epoch_us(event_datetime) as us
    from '{{events}}'
    where event_id is not null and event_datetime is not null and (session_id is not null or customer_id is not null)
  ),
  once as (
    select *
    from usable
    qualify coalesce(us - lag(us) over (partition by event_id order by us) > {DAY_US}, true)
  ),
  marked as (
    select *, coalesce(us - lag(us) over (partition by visitor_key order by us) > {GAP_US}, true) as is_first
    from once
  ),
  visited as (
    select *, count(*) filter (where is_first) over (partition by visitor_key order by us) as visit
    from marked
  ),
  parted as (
    select *, greatest(us - min(us) over (partition by visitor_key, visit) - 1, 0) // {DAY_US} as part
    from visited
  )
  select
    visitor_key, min(event_datetime) as started_at, max(event_datetime) as ended_at, max(customer_id) as customer_id,
    count(*) as event_count,
    {", ".join(f"count(*) filter (where event_type = '{kind}') as {kind}_count" for kind in KINDS)},
    count(distinct article_id) as article_count,
    coalesce(sum(event_value) filter (where event_type = 'purchase'), 0) as purchase_value_sum
  from parted
  group by visitor_key, visit, part
  order by started_at, visitor_key
) to '{{target}}' (format parquet, compression zstd)
"""


def ours(place: Place, clock: Clock) -> Results:
    return run_dataset("events_and_funnels", place, clock)


def duckdb_by_hand(place: Place, clock: Clock) -> Results:
    target = place.result("sessions")
    with by_hand(place) as connection, clock:
        connection.execute(BY_HAND.format(events=place.raw("events"), target=target))
    return {"sessions": str(target)}


def polars_streaming(place: Place, clock: Clock) -> Results:
    import os

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    import polars as pl

    target = place.result("sessions")
    visitor, at, kind = pl.col("visitor_key"), pl.col("event_datetime"), pl.col("event_type")
    with clock:
        named = pl.coalesce(pl.lit("visitor:") + pl.col("session_id"), pl.lit("customer:") + pl.col("customer_id"))
        marked = (
            pl.scan_parquet(place.raw("events"))
            .with_columns(named.alias("visitor_key"))
            .filter(pl.col("event_id").is_not_null() & at.is_not_null() & visitor.is_not_null())
            .unique(subset="event_id")
            .sort("visitor_key", "event_datetime")
            .with_columns(
                ((visitor != visitor.shift()) | (at - at.shift() > pl.duration(minutes=30)))
                .fill_null(True)
                .cum_sum()
                .alias("visit")
            )
        )
        counts = [(kind == one).sum().cast(pl.Int64).alias(f"{one}_count") for one in KINDS]
        sessions = marked.group_by("visit").agg(
            visitor.first(),
            at.min().alias("started_at"),
            at.max().alias("ended_at"),
            pl.col("customer_id").max(),
            pl.len().cast(pl.Int64).alias("event_count"),
            *counts,
            pl.col("article_id").drop_nulls().n_unique().cast(pl.Int64).alias("article_count"),
            pl.col("event_value").filter(kind == "purchase").sum().cast(pl.Float64).alias("purchase_value_sum"),
        )
        sessions.drop("visit").sort("started_at", "visitor_key").sink_parquet(
            target, compression="zstd", engine="streaming"
        )
    return {"sessions": str(target)}


STAGE = Stage(
    name="sessions",
    what="`events_and_funnels`, all its tables, checks and files",
    tables=("events",),
    contenders=(
        Contender("shopmill", ours),
        Contender("DuckDB by hand, sessions alone", duckdb_by_hand),
        Contender("Polars streaming, sessions alone, float sums", polars_streaming),
    ),
    compared=(Compared("sessions", ("visitor_key", "started_at"), 1e-6),),
)
