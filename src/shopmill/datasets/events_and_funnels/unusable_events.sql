-- Events from the first changed day on that cannot be used, and why; those without a time are of no day and always here.
-- One question at a time, so that files whose statistics answer it are not read.
select
  reason,
  cast(event_datetime at time zone $time_zone as date) as source_day,
  to_json({
    'event_id': event_id, 'session_id': session_id, 'customer_id': customer_id, 'article_id': article_id,
    'event_type': event_type, 'event_value': cast(event_value as varchar),
    'event_datetime': cast(epoch_us(event_datetime) as varchar)
  }) as source_row
from (
  select 'event_datetime is null' as reason, *
  from events
  where event_datetime is null
  union all
  select 'event_id is null', *
  from events
  where event_datetime >= cast($changed_since as timestamp) at time zone $time_zone and (event_id is null or event_id = '')
  union all
  select 'customer_id and session_id are null', *
  from events
  where event_datetime >= cast($changed_since as timestamp) at time zone $time_zone
    and event_id <> ''
    and (customer_id is null or customer_id = '')
    and (session_id is null or session_id = '')
) as unusable
