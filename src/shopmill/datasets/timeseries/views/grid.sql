-- Every day (week) of every series from its first, or $since, to as_of - 1: the stretches, step by step.
with step as (
  select *, unnest(generate_series(first_step, last_step)) as step
  from stretches
  where first_step <= last_step
),
dated as (
  select
    level, freq, unique_id, y, revenue, unique_customers,
    step = 0 as is_sale,
    ds + cast(step * step_days as integer) as ds,
    case when step = 0 then sold_before_on else last_sold_on end as sold_before_on
  from step
),
reasoned as (
  select
    *,
    date_diff('day', sold_before_on, ds) as days_since_last_sale,
    case
      when is_sale then 'observed'
      when date_diff('day', sold_before_on, ds) <= $on_sale_days then 'zero'
      else 'not_on_sale'
    end as fill_reason
  from dated
)
select
  level, freq, unique_id, ds, fill_reason, days_since_last_sale,
  case fill_reason when 'observed' then y when 'zero' then 0 end as y,
  case fill_reason when 'observed' then revenue when 'zero' then 0 end as revenue,
  case fill_reason when 'observed' then unique_customers when 'zero' then 0 end as unique_customers
from reasoned
