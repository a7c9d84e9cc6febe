select
  case when missing > active * $max_missing_description_share then missing else 0 end as violations,
  missing || ' of ' || active || ' active articles have no description' as detail
from (
  select count(*) filter (where coalesce(trim(detail_desc), '') = '') as missing, count(*) as active
  from articles
  where is_active
) as counted
