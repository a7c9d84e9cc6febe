-- For each series that began before $since, the last day before it with a sale: all that the grid must know of the past.
with day_before as (
  select 'article' as level, unique_id, ds, fill_reason, days_since_last_sale
  from previous_article_daily
  union all
  select 'category', unique_id, ds, fill_reason, days_since_last_sale
  from previous_category_daily
),
last_sale as (
  select
    level,
    unique_id,
    case fill_reason when 'observed' then ds else ds - cast(days_since_last_sale as integer) end as last_sold_on
  from day_before
  where date_diff('day', ds, $since) = 1
)
select level, 'D' as freq, 1 as step_days, unique_id, last_sold_on as ds, last_sold_on
from last_sale
union all
select level, 'W', 7, unique_id, cast(date_trunc('week', last_sold_on) as date), last_sold_on
from last_sale
