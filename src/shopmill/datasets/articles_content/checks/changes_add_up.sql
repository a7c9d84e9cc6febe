select abs(before + came - went - active) as violations
from (
  select
    (select count(*) from previous_articles where is_active) as before,
    (select count(*) from catalogue_changes where change in ('added', 'returned')) as came,
    (select count(*) from catalogue_changes where change = 'removed') as went,
    (select count(*) from articles where is_active) as active
) as counted
