-- The events that are read, with their user.
-- `side` says which: 'now' as they are, 'altered' those dated before the version that is continued which it did not have
-- (change 1) or which are gone (change -1), 'unusable' those with a `problem`. What is so long before the first changed
-- day that it can have no part in a session or a duplicate that changed (24 + 4 and 24 hours, the largest parameters) is
-- left out.
select
  side,
  change,
  problem,
  event_id,
  case when customer_id <> '' then 'customer:' || customer_id else 'visitor:' || session_id end as user_id,
  nullif(customer_id, '') as customer_id,
  article_id,
  coalesce(event_type, 'none') as event_type,
  event_value,
  event_datetime as event_at,
  to_json({
    'event_id': event_id, 'session_id': session_id, 'customer_id': customer_id, 'article_id': article_id,
    'event_type': event_type, 'event_value': cast(event_value as varchar),
    'event_datetime': cast(epoch_us(event_datetime) as varchar)
  }) as source_row
from (
  select
    event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime,
    'now' as side, 1 as change, null as problem
  from events
  where event_datetime >= cast($changed_since as timestamp) at time zone $time_zone - interval 52 hours
  union all
  select event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime, 'altered', change, null
  from altered_rows
  union all
  select event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime, 'unusable', 1, problem
  from unusable_rows
) as sides
where side = 'unusable' or event_id <> '' and (customer_id <> '' or session_id <> '')
