-- Rows from the first changed day on that cannot be used, and why; those without a time are of no day and always here.
-- One question at a time, so that files whose statistics answer it are not read.
select 'event_datetime is null' as problem, *
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
