"""What must hold before a version of customer_features is published, and what is worth a warning."""

from itertools import pairwise

from shopmill.datasets.customer_features.columns import WINDOWS
from shopmill.datasets.customer_features.rfm import THRESHOLDS
from shopmill.declaration import QueryCheck, RowCheck

NESTED = ("transactions_count", "spend_sum", "active_days_count", "articles_distinct", "groups_distinct")


def _nested(measure: str) -> RowCheck:
    rule = " and ".join(f"{measure}_{short} <= {measure}_{long}" for short, long in pairwise(WINDOWS))
    return RowCheck(f"{measure} nested", rule, "a longer window holds the shorter ones")


def _shares(window: str) -> RowCheck:
    shares = " + ".join(f"channel_{channel}_share_{window}" for channel in ("1", "2", "other"))
    return RowCheck(f"channel shares {window}", f"abs({shares} - 1) < 1e-9", "shares of the channels sum to 1")


ROW_CHECKS = (
    *(_nested(measure) for measure in NESTED),
    *(_shares(window) for window in WINDOWS),
    RowCheck(
        "scored when bought",
        "(transactions_count_lifetime > 0) = (rfm_score is not null and rfm_segment is not null and r_percentile "
        "is not null and f_percentile is not null and m_percentile is not null and clv_frequency is not null)",
        "customers with a purchase have RFM and BTYD columns, others do not",
    ),
    RowCheck(
        "BTYD in order",
        'clv_frequency <= clv_recency_days and clv_recency_days <= "clv_T_days" '
        "and clv_frequency = active_days_count_lifetime - 1",
        "there are no more repeat days than days from first to last, and those lie before as_of",
    ),
    RowCheck(
        "dates in order",
        "days_since_last_purchase <= days_since_first_purchase and days_since_last_order <= days_since_first_order",
        "the first purchase is not after the last",
    ),
    RowCheck("nothing from the future", "last_seen_at_30d < $as_of_at", "no event is dated at or after as_of"),
)

THRESHOLD_CHECKS = (
    RowCheck("ascending", " and ".join(f"{low} <= {high}" for low, high in pairwise(THRESHOLDS)), "thresholds ascend"),
)

# One row per customer with a purchase and measure; more is better, so days count negative.
MEASURED = """
    select 'days_since_last_purchase' as measure, cast(days_since_last_purchase as decimal(38, 6)) as value,
      -days_since_last_purchase as worth, r_score as score, r_percentile as percentile
    from features where r_score is not null
    union all
    select 'active_days_count_lifetime', cast(active_days_count_lifetime as decimal(38, 6)),
      active_days_count_lifetime, f_score, f_percentile
    from features where f_score is not null
    union all
    select 'spend_sum_lifetime', cast(spend_sum_lifetime as decimal(38, 6)), spend_sum_lifetime, m_score, m_percentile
    from features where m_score is not null
"""

EQUAL_SCORES = f"""
with by_value as (
  select measure, worth, min(score) as lowest, max(score) as highest, min(percentile) as first, max(percentile) as last
  from ({MEASURED}) as measured
  group by measure, worth
),
neighbours as (
  select
    *,
    lag(highest) over (partition by measure order by worth) as score_below,
    lag(last) over (partition by measure order by worth) as percentile_below
  from by_value
)
select count(*) as violations
from neighbours
where lowest <> highest or first <> last or score_below > lowest or percentile_below >= first
"""

# At least so many customers do not exceed a threshold, and fewer lie below it: the quantile by its definition.
AT_QUANTILES = f"""
with counted as (
  select
    measure,
    count(*) as n,
    {", ".join(f"count(*) filter (where value < {t}) as below_{t}" for t in THRESHOLDS)},
    {", ".join(f"count(*) filter (where value <= {t}) as upto_{t}" for t in THRESHOLDS)}
  from ({MEASURED}) as measured
  join rfm_thresholds using (measure)
  where not is_frozen
  group by measure
)
select count(*) as violations
from counted
where not ({" and ".join(f"5 * below_{t} < {k} * n and 5 * upto_{t} >= {k} * n" for k, t in enumerate(THRESHOLDS, 1))})
"""

SCORES_SPREAD = f"""
with by_score as (
  select measure, score, count(*) as n_customers
  from ({MEASURED}) as measured
  group by measure, score
),
shares as (
  select *, sum(n_customers) over (partition by measure) as n_all
  from by_score
)
select
  count(*) as violations,
  max(n_customers || ' of ' || n_all || ' customers have score ' || score || ' of ' || measure) as detail
from shares
where n_customers > $max_score_share * n_all
"""

SPEND = """
select
  case when published = expected then 0 else 1 end as violations,
  published || ' in features, ' || expected || ' in transactions' as detail
from (
  select
    (select coalesce(sum(spend_sum_lifetime), 0) from features) as published,
    (
      select coalesce(sum(price), 0)
      from transactions
      where price >= 0 and t_dat is not null and customer_id is not null and article_id is not null
    ) as expected
) as sums
"""

LINES = """
select
  abs(counted - expected) as violations,
  counted || ' counted or rejected, ' || expected || ' in the source' as detail
from (
  select
    (select coalesce(sum(transactions_count_lifetime), 0) from features)
    + (select count(*) from rejects where source_table = 'transactions') as counted,
    (select row_count from input_rows where table_name = 'transactions') as expected
) as counts
"""

LOST = """
select
  case when n_lost > $max_customer_loss * n_before then n_lost else 0 end as violations,
  n_lost || ' of ' || n_before || ' customers of the version before are gone' as detail
from (
  select count(*) as n_before, count(*) filter (where new.customer_id is null) as n_lost
  from previous_features as old
  left join features as new on new.customer_id = old.customer_id
) as counts
"""

GAINED = """
select
  case when n_before > 0 and n_gained > $max_customer_gain * n_before then n_gained else 0 end as violations,
  n_gained || ' customers are new, ' || n_before || ' were in the version before' as detail
from (
  select
    (select count(*) from previous_features) as n_before,
    count(*) filter (where old.customer_id is null) as n_gained
  from features as new
  left join previous_features as old on old.customer_id = new.customer_id
) as counts
"""

CHECKS = (
    QueryCheck("spend reconciled", SPEND, "spend_sum_lifetime sums to the prices of all usable transaction lines"),
    QueryCheck("every line counted", LINES, "lines counted and rejected sum to the transaction lines before as_of"),
    QueryCheck(
        "every customer kept",
        """
        select count(distinct customers.customer_id) as violations
        from customers
        left join features on features.customer_id = customers.customer_id and is_known
        where customers.customer_id is not null and features.customer_id is null
        """,
        "every customer of the customers table has a row",
    ),
    QueryCheck("equal values equal scores", EQUAL_SCORES, "scores and percentiles follow the values they are made of"),
    QueryCheck("thresholds at the quantiles", AT_QUANTILES, "thresholds lie at 20, 40, 60 and 80 % of the customers"),
    QueryCheck("scores spread", SCORES_SPREAD, "no score is that of most customers (max_score_share)", "warn"),
    QueryCheck("customers lost", LOST, "few customers of the version before are gone (max_customer_loss)"),
    QueryCheck("customers gained", GAINED, "not unusually many customers are new (max_customer_gain)", "warn"),
    QueryCheck(
        "customers known",
        """
        select
          count(*) as violations,
          count(*) || ' customers have bought or ordered without being in customers' as detail
        from features
        where not is_known
        """,
        "every customer is in the customers table",
        "warn",
    ),
    QueryCheck(
        "events of known customers",
        """
        select
          count(distinct checked_events.customer_id) as violations,
          count(distinct checked_events.customer_id) || ' customers are known from events alone' as detail
        from checked_events
        left join features on features.customer_id = checked_events.customer_id
        where features.customer_id is null
        """,
        "every customer with an event has a row",
        "warn",
    ),
    QueryCheck(
        "articles in the catalogue",
        """
        select
          count(distinct transactions.article_id) as violations,
          count(distinct transactions.article_id) || ' articles that were bought are not in the catalogue' as detail
        from transactions
        left join articles on articles.article_id = transactions.article_id
        where transactions.article_id is not null and articles.article_id is null
        """,
        "every article bought is in the catalogue, or its group and colour are unknown",
        "warn",
    ),
)
