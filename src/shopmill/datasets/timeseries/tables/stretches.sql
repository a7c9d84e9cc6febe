-- Each sale opens a stretch of the series that lasts until the next sale, or as_of. Steps count its days (weeks) from the
-- sale on; those before $since are left out. The first stretch of a series that began earlier is the one open at $since.
with sale as (
  select level, freq, step_days, unique_id, ds, last_sold_on, y, revenue, unique_customers
  from sales
  union all
  select level, freq, step_days, unique_id, ds, last_sold_on, null, null, null
  from last_sales
)
select
  *,
  lag(last_sold_on) over series as sold_before_on,
  greatest(0, date_diff('day', ds, $since) // step_days) as first_step,
  (date_diff('day', ds, coalesce(lead(ds) over series, $as_of)) - 1) // step_days as last_step
from sale
window series as (partition by level, freq, unique_id order by ds)
