-- Every day (week) from a series' first to as_of - 1. Each sale opens a stretch that lasts until the next sale, so a row
-- depends on sales up to its own day only: what is sold later cannot change it.
with sale as (
  select level, freq, step_days, unique_id, ds, last_sold_on, y, revenue, unique_customers
  from sales
  union all
  select level, freq, step_days, unique_id, ds, last_sold_on, null, null, null
  from last_sales
),
stretch as (
  select
    *,
    lag(last_sold_on) over series as sold_before_on,
    greatest(0, date_diff('day', ds, $since) // step_days) as first_step,
    (date_diff('day', ds, coalesce(lead(ds) over series, $as_of)) - 1) // step_days as last_step
  from sale
  window series as (partition by level, freq, unique_id order by ds)
),
step as (
  select *, unnest(generate_series(first_step, last_step)) as step
  from stretch
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
