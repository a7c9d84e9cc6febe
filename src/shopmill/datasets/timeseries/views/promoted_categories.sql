-- The days from $since on that a category was promoted: any of its articles that was sold by then was.
with groups_within as (
  select category, product_group_name, min(first_day) as first_day
  from hierarchy
  group by category, product_group_name
)
select category as unique_id, ds, monday
from promotion_days
join hierarchy on hierarchy.unique_id = promotion_days.article_id and hierarchy.first_day <= ds
union
select category, ds, monday
from promotion_days
join groups_within
  on groups_within.product_group_name = promotion_days.product_group_name and groups_within.first_day <= ds
