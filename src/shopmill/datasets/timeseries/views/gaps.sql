-- Series that lack a day (week) between their first, or $since, and as_of - 1, or have one too many.
with series as (
  select 'article' as level, unique_id, first_day
  from hierarchy
  union all
  select 'category', category, min(first_day)
  from hierarchy
  group by category
),
bounds as (
  select level, 'D' as freq, 1 as step_days, unique_id, greatest(first_day, $since) as first_ds, $as_of - 1 as last_ds
  from series
  union all
  select
    level, 'W', 7, unique_id,
    greatest(cast(date_trunc('week', first_day) as date), $since), cast(date_trunc('week', $as_of - 1) as date)
  from series
),
expected as (
  select level, freq, unique_id, first_ds, last_ds, date_diff('day', first_ds, last_ds) // step_days + 1 as n
  from bounds
  where first_ds <= last_ds
),
found as (
  select 'article' as level, 'D' as freq, unique_id, min(ds) as first_ds, max(ds) as last_ds, count(*) as n
  from article_daily
  group by unique_id
  union all
  select 'category', 'D', unique_id, min(ds), max(ds), count(*)
  from category_daily
  group by unique_id
  union all
  select 'article', 'W', unique_id, min(ds), max(ds), count(*)
  from article_weekly
  group by unique_id
  union all
  select 'category', 'W', unique_id, min(ds), max(ds), count(*)
  from category_weekly
  group by unique_id
)
select level, freq, unique_id
from expected
full join found using (level, freq, unique_id)
where
  expected.n is distinct from found.n
  or expected.first_ds is distinct from found.first_ds
  or expected.last_ds is distinct from found.last_ds
