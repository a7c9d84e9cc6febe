-- What the "buy till you die" models (BG/NBD, Pareto/NBD, Gamma-Gamma) are fitted on: days of purchase after the first.
with first_days as (
  select *, max(age_days) over (partition by customer_id) as first_age_days
  from purchase_days
),
clv_sums as (
  select
    customer_id,
    count(*) - 1 as frequency,
    max(age_days) - min(age_days) as recency_days,
    max(age_days) as t_days,
    coalesce(sum(spend) filter (where age_days < first_age_days), 0) as repeat_spend
  from first_days
  group by customer_id
)
select
  customer_id,
  frequency as clv_frequency,
  recency_days as clv_recency_days,
  t_days as "clv_T_days",
  coalesce(cast(repeat_spend as double) / nullif(cast(frequency as double), 0), 0) as clv_monetary_value
from clv_sums
