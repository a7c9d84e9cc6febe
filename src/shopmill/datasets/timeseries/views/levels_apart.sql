-- Categories whose units or revenue of a day (week) are not the sum of their articles'.
with summed as (
  select 'D' as freq, category, ds, sum(y) as y, sum(revenue) as revenue
  from article_daily
  join hierarchy using (unique_id)
  group by category, ds
  union all
  select 'W', category, ds, sum(y), sum(revenue)
  from article_weekly
  join hierarchy using (unique_id)
  group by category, ds
),
stated as (
  select 'D' as freq, unique_id as category, ds, y, revenue
  from category_daily
  union all
  select 'W', unique_id, ds, y, revenue
  from category_weekly
)
select freq, category, ds
from summed
full join stated using (freq, category, ds)
where summed.y is distinct from stated.y or summed.revenue is distinct from stated.revenue
