"""pymc-marketing: the summary that its models of customer value are fitted on, a row per customer who has bought.

    rfm.parquet   customer_id, frequency, recency, T, monetary_value

Repeat purchase days, days from the first purchase to the last, days from the first to as_of, and the mean spend of a
repeat day (0 without one): doubles all, in days and in the shop's currency. Computed with the features, at any size.
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source

SUMMARY = """
    select
      customer_id,
      cast(clv_frequency as double) as frequency,
      cast(clv_recency_days as double) as recency,
      cast("clv_T_days" as double) as "T",
      coalesce(cast(clv_monetary_value as double), 0) as monetary_value
    from features
    where "clv_T_days" is not null
    order by customer_id
"""


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """One query."""
    source.need("features", "customer_id", "clv_frequency", "clv_recency_days", "clv_T_days", "clv_monetary_value")
    return {"rfm.parquet": source.write_parquet(SUMMARY, folder / "rfm.parquet")}


CONSUMER = Consumer(
    name="pymc-marketing",
    loads="frequency, recency, T and monetary value of each customer",
    writes={"customer_features": write},
)
