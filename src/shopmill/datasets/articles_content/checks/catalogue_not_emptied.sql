select
  case when active = 0 or active < before * (1 - $max_row_drop) then 1 else 0 end as violations,
  active || ' active articles, ' || before || ' in the previous version' as detail
from (
  select
    (select count(*) from articles where is_active) as active,
    (select count(*) from previous_articles where is_active) as before
) as counted
