-- What was promoted, from day to day, both included. Without a start it was ever since, without an end it lasts.
select
  *,
  case
    when json_extract_string(misfits, '$.starts_on') is not null
      then 'starts_on does not fit date: ' || json_extract_string(misfits, '$.starts_on')
    when json_extract_string(misfits, '$.ends_on') is not null
      then 'ends_on does not fit date: ' || json_extract_string(misfits, '$.ends_on')
    when ends_on < starts_on then 'ends_on is before starts_on'
    when article_id is null and product_group_name is null then 'neither article_id nor product_group_name'
  end as problem,
  starts_on as source_day,
  to_json({
    'article_id': article_id, 'product_group_name': product_group_name,
    'starts_on': coalesce(cast(starts_on as varchar), json_extract_string(misfits, '$.starts_on')),
    'ends_on': coalesce(cast(ends_on as varchar), json_extract_string(misfits, '$.ends_on')), 'kind': kind
  }) as source_row
from {{ source }}promotions
