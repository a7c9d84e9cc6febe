-- Visitors with new events, and the place from which on their sessions are computed again: their first new event, or the
-- first event of the first session that it may join. What lies before that cannot change: sessions are cut forward in time.
-- Where everything is computed there are none, for then it is of all visitors anyway.
with altered_ids as (
  select event_id as altered_id, min(event_at) as altered_at
  from altered_events
  group by event_id
),
changed as (
  select visitor_key, event_at as changed_at, concat(cast(type_order as varchar), event_id) as place
  from read_events
  where side = 'now' and event_at >= $continued_at
  union all
  select visitor_key, event_at, concat(cast(type_order as varchar), event_id)
  from altered_events
  union all
  -- Whoever sent an altered event_id later: it may be a duplicate now, or be one no longer.
  select visitor_key, event_at, concat(cast(type_order as varchar), event_id)
  from repeated_events
  join altered_ids on altered_id = event_id and event_at >= altered_at
),
first_changed as (
  select visitor_key, min(changed_at) as first_at
  from changed
  group by visitor_key
),
starts as (
  select changed.visitor_key, changed_at as from_at, place as from_place
  from changed
  join first_changed on first_changed.visitor_key = changed.visitor_key and changed_at = first_at
  union all
  select joined.visitor_key, joined.started_at, joined.first_place
  from first_changed
  join recent_sessions as joined
    on joined.visitor_key = first_changed.visitor_key
    and joined.started_at <= first_at
    and epoch_us(first_at) - epoch_us(joined.ended_at) <= $session_gap_minutes * 60000000
)
select visitor_key, from_at, from_place
from starts
where not $is_full
qualify row_number() over (partition by visitor_key order by from_at, from_place) = 1
