select
  count(*) as violations,
  count(*) || ' of ' || (select count(*) from hierarchy) || ' articles have no category' as detail
from hierarchy
where category = 'unknown'
