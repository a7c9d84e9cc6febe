-- The days of this run, to the end of the last week, and what the calendar says about them.
with bounds as (
  select
    greatest($since, cast(date_trunc('week', min(first_day)) as date)) as first_day,
    cast(date_trunc('week', $as_of - 1) as date) + 6 as last_day
  from hierarchy
),
series as (
  select unnest(generate_series(first_day, last_day, interval 1 day)) as ds
  from bounds
  where first_day <= last_day
),
days as (
  select cast(ds as date) as ds
  from series
)
select
  days.ds,
  cast(date_trunc('week', days.ds) as date) as monday,
  isodow(days.ds) as day_of_week,
  extract(week from days.ds) as week,
  extract(month from days.ds) as month,
  isodow(days.ds) >= 6 as is_weekend,
  holiday_days.day is not null as is_holiday
from days
left join holiday_days on holiday_days.day = days.ds
