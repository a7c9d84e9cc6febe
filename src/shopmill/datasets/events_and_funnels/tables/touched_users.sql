-- Users with new events, and from when on their sessions are computed anew: from their first new event, or from the start
-- of the session that it may join. What lies before that cannot change: sessions are cut forward in time.
with altered_ids as (
  select event_id as altered_id, min(event_at) as altered_at
  from altered_events
  group by event_id
),
changed as (
  select user_id, event_at as changed_at
  from read_events
  where side = 'now' and event_at >= $continued_at
  union all
  select user_id, event_at
  from altered_events
  union all
  -- Whoever sent an altered event_id later: it may be a duplicate now, or be one no longer.
  select user_id, event_at
  from repeated_events
  join altered_ids on altered_id = event_id and event_at >= altered_at
),
first_changed as (
  select user_id, min(changed_at) as changed_at
  from changed
  group by user_id
)
select first_changed.user_id, coalesce(min(joined.started_at), min(changed_at)) as from_at
from first_changed
left join recent_sessions as joined
  on joined.user_id = first_changed.user_id
  and joined.started_at <= changed_at
  and epoch_us(changed_at) - epoch_us(joined.ended_at) <= $session_gap_minutes * 60000000
group by first_changed.user_id
