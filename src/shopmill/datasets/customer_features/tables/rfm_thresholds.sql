-- For each measure the values at 20, 40, 60 and 80 % of the customers with a purchase, put in order: the smallest value
-- that so many customers do not exceed. Frozen thresholds, where the run was given some, stand in their place.
with measured as (
  select
    customer_id,
    min(age_days) as days_since_last_purchase,
    count(*) as active_days_count_lifetime,
    sum(spend) as spend_sum_lifetime
  from purchase_days
  group by customer_id
),
by_measure as (
  select 'days_since_last_purchase' as measure, cast(days_since_last_purchase as decimal(38, 6)) as value from measured
  union all
  select 'active_days_count_lifetime', cast(active_days_count_lifetime as decimal(38, 6)) from measured
  union all
  select 'spend_sum_lifetime', cast(spend_sum_lifetime as decimal(38, 6)) from measured
),
numbered as (
  select
    measure,
    value,
    row_number() over (partition by measure order by value) as place,
    count(*) over (partition by measure) as n_customers
  from by_measure
)
select
  measure,
  min(value) filter (where 5 * place >= 1 * n_customers) as threshold_20,
  min(value) filter (where 5 * place >= 2 * n_customers) as threshold_40,
  min(value) filter (where 5 * place >= 3 * n_customers) as threshold_60,
  min(value) filter (where 5 * place >= 4 * n_customers) as threshold_80,
  false as is_frozen
from numbered
where not exists (select 1 from frozen_thresholds)
group by measure
union all
select measure, threshold_20, threshold_40, threshold_60, threshold_80, true
from frozen_thresholds
