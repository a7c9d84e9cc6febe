-- Events whose id is there more than once, or was so in the previous version. The first in time is kept; one that follows
-- another of its id within duplicate_hours was sent again. The order is total up to rows that are the same in all columns.
-- An incremental run looks at ids that are new, were altered, or were there more than once before: of the others nothing
-- can have changed. Of an id of which an event is no longer there it has the one that is left, which may have been the duplicate.
with doubtful as (
  select event_id as doubtful_id
  from events
  where not $is_full and event_datetime >= $continued_at
  union
  select event_id
  from altered_events
  union
  select source_row ->> 'event_id'
  from previous_rejects
  where not $is_full
    and reason = 'event_id was sent before'
    and source_day >= $changed_since - interval 1 day * $reach_days
),
repeated as (
  select event_id
  from events
  where event_datetime >= cast($changed_since as timestamp) at time zone $time_zone - interval 1 hour * $event_reach_hours
    and ($is_full or event_id in (select doubtful_id from doubtful))
  group by event_id
  having count(*) > 1
  union all
  select event_id
  from altered_events
  where change < 0
),
timed as (
  select
    *,
    epoch_us(event_at) - epoch_us(lag(event_at) over (
      partition by event_id order by event_at, visitor_key, event_type, article_id, event_value, source_row
    )) as since_last_us
  from read_events
  where side = 'now' and event_id in (select event_id from repeated)
)
select
  event_id,
  visitor_key,
  customer_id,
  article_id,
  event_type,
  type_order,
  event_value,
  user_agent,
  event_at,
  source_row,
  coalesce(since_last_us <= $duplicate_hours * 3600000000, false) as is_duplicate
from timed
