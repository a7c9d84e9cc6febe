-- Of every customer who bought before the origin: what was bought from then on. user_churn_7d asks fewer: those who bought
-- in as many days before the origin as the window has.
with windows as (
  select label, measure, horizon_days, origin
  from label_windows
  where entity = 'customer'
),
horizons as (
  select distinct horizon_days, origin
  from windows
),
asked as (
  select horizon_days, origin, customer_id, max(day) as last_day
  from horizons
  join bought_lines on day < origin and customer_id is not null
  group by horizon_days, origin, customer_id
),
next as (
  select horizon_days, customer_id, sum(quantity) as units, sum(amount) as spend
  from horizons
  join bought_lines on day >= origin and customer_id is not null
  group by horizon_days, customer_id
)
select
  label,
  windows.origin,
  windows.horizon_days,
  asked.customer_id,
  case measure
    when 'units' then coalesce(units, 0)
    when 'spend' then coalesce(spend, 0)
    else case when units is null then 1 else 0 end
  end as value
from windows
join asked on asked.horizon_days = windows.horizon_days
left join next on next.horizon_days = asked.horizon_days and next.customer_id = asked.customer_id
where measure <> 'active_churn' or date_diff('day', last_day, windows.origin) <= windows.horizon_days
