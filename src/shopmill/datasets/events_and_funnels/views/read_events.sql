-- The usable events that are read, with their user.
-- `side` says which: 'now' as they are, 'altered' those dated before the version that is continued which it did not have
-- (change 1) or which are gone (change -1). What is so long before the first changed day that it can have no part in a
-- session or a duplicate that changed (24 + 4 and 24 hours, the largest parameters) is left out.
select
  side,
  change,
  event_id,
  case when customer_id <> '' then 'customer:' || customer_id else 'visitor:' || session_id end as user_id,
  nullif(customer_id, '') as customer_id,
  article_id,
  coalesce(event_type, 'none') as event_type,
  event_value,
  event_datetime as event_at,
  source_row
from (
  select
    'now' as side, 1 as change,
    event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime, source_row
  from judged_events
  where problem is null
    and event_datetime >= cast($changed_since as timestamp) at time zone $time_zone - interval 52 hours
  union all
  select
    'altered', change, event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime, null
  from altered_rows
) as sides
