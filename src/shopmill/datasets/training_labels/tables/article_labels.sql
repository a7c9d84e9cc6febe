-- Of every article that the catalogue has or that was sold: what was sold from the origin on.
with windows as (
  select label, measure, horizon_days, origin
  from label_windows
  where entity = 'article'
),
horizons as (
  select distinct horizon_days, origin
  from windows
),
known as (
  select article_id from judged_articles where problem is null
  union
  select article_id from bought_lines
),
next as (
  select horizon_days, article_id, sum(quantity) as units, sum(amount) as sales
  from horizons
  join bought_lines on day >= origin
  group by horizon_days, article_id
)
select
  label,
  origin,
  windows.horizon_days,
  known.article_id,
  case measure when 'units' then coalesce(units, 0) else coalesce(sales, 0) end as value
from windows
cross join known
left join next on next.horizon_days = windows.horizon_days and next.article_id = known.article_id
