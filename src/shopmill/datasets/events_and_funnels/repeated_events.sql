-- Events whose id is there more than once. The first in time is kept; one that follows another of its id within
-- duplicate_hours was sent again. The order is total up to rows that are the same in all that is used.
with repeated as (
  select event_id
  from events
  where event_datetime >= cast($changed_since as timestamp) at time zone $time_zone - interval 52 hours
  group by event_id
  having count(*) > 1
),
timed as (
  select
    *,
    epoch_us(event_at) - epoch_us(lag(event_at) over (
      partition by event_id order by event_at, user_id, event_type, article_id, event_value
    )) as since_last_us
  from read_events
  where side = 'now' and problem is null and event_id in (select event_id from repeated)
)
select
  event_id,
  user_id,
  customer_id,
  article_id,
  event_type,
  event_value,
  event_at,
  source_row,
  coalesce(since_last_us <= $duplicate_hours * 3600000000, false) as is_duplicate
from timed
