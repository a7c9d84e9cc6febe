-- What each customer bought, and the last review that each wrote, from the origin on.
with windows as (
  select label, measure, horizon_days, origin
  from label_windows
  where entity = 'customer_article'
),
basket as (
  select label, origin, horizon_days, customer_id, article_id, sum(quantity) as value
  from windows
  join bought_lines on day >= origin and customer_id is not null
  where measure = 'units'
  group by label, origin, horizon_days, customer_id, article_id
),
rated as (
  select
    label, origin, horizon_days, customer_id, article_id, rating as value,
    row_number() over (
      partition by label, customer_id, article_id order by review_date desc, review_id desc, rating
    ) as place
  from windows
  join judged_reviews on source_day >= origin
  where measure = 'rating' and problem is null and customer_id is not null and article_id is not null
)
select label, origin, horizon_days, customer_id, article_id, value
from basket
union all
select label, origin, horizon_days, customer_id, article_id, value
from rated
where place = 1
