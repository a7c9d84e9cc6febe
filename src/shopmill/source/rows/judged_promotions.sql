-- What was promoted, from day to day, both included.
select
  *,
  case
    when starts_on is null then 'starts_on is null'
    when ends_on < starts_on then 'ends_on is before starts_on'
    when article_id is null and product_group_name is null then 'neither article_id nor product_group_name'
  end as problem,
  starts_on as source_day,
  to_json({
    'article_id': article_id, 'product_group_name': product_group_name, 'starts_on': cast(starts_on as varchar),
    'ends_on': cast(ends_on as varchar), 'kind': kind
  }) as source_row
from {{ source }}promotions
