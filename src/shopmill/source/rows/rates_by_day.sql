-- The rate of each currency on each day of the shop before as_of: the last one at or before it.
with periods_of_rates as (
  select
    currency,
    rate,
    greatest(day, $first_day) as first_day,
    coalesce(cast(lead(day) over (partition by currency order by day) - interval 1 day as date), $as_of) as last_day
  from judged_exchange_rates
  where problem is null and day <= $as_of
)
select currency, rate, cast(day as date) as day
from (
  select currency, rate, unnest(generate_series(first_day, last_day, interval 1 day)) as day
  from periods_of_rates
  where first_day <= last_day
) as days_of_rates
