-- The events of touched users, each with the visit and the part of it that it belongs to, numbered in order.
-- Of events at the same instant the earlier step of a purchase goes first.
with events_once as (
  select event_id, user_id, customer_id, article_id, event_type, event_value, event_at
  from read_events
  where side = 'now'
    and event_at >= cast($changed_since as timestamp) at time zone $time_zone - interval 28 hours
    and event_id not in (select event_id from repeated_events)
  union all
  select event_id, user_id, customer_id, article_id, event_type, event_value, event_at
  from repeated_events
  where not is_duplicate
),
touched_events as (
  select
    events_once.*,
    from_at,
    case event_type
      when 'view' then 1 when 'click' then 2 when 'add_to_cart' then 3 when 'remove_from_cart' then 4
      when 'checkout' then 5 when 'purchase' then 6 else 7
    end as type_order
  from events_once
  join touched_users using (user_id)
  where event_at >= from_at
),
-- The session that ended before: where it was cut, its visit goes on.
before as (
  select touched_users.user_id, max(ended_at) as ended_at, max(visit_started_at) as visit_started_at
  from touched_users
  join recent_sessions on recent_sessions.user_id = touched_users.user_id and started_at < from_at
  group by touched_users.user_id
),
numbered as (
  select
    *,
    row_number() over (partition by user_id order by event_at, type_order, event_id) as event_number,
    lag(event_at) over (partition by user_id order by event_at, type_order, event_id) as last_at
  from touched_events
),
opened as (
  select
    numbered.*,
    before.visit_started_at as earlier_visit,
    coalesce(
      epoch_us(event_at) - epoch_us(coalesce(last_at, before.ended_at)) > $session_gap_minutes * 60000000,
      true
    ) as opens_visit
  from numbered
  left join before on before.user_id = numbered.user_id
),
visited as (
  select
    *,
    coalesce(
      max(case when opens_visit then event_at end) over (
        partition by user_id order by event_number rows between unbounded preceding and current row
      ),
      earlier_visit
    ) as visit_started_at
  from opened
)
select
  user_id,
  customer_id,
  visit_started_at,
  -- Exactly max_session_hours after the start still belongs to the first part.
  case
    when event_at = visit_started_at then 1
    else (epoch_us(event_at) - epoch_us(visit_started_at) - 1) // ($max_session_hours * 3600000000) + 1
  end as part_number,
  event_number,
  event_id,
  event_type,
  article_id,
  event_value,
  event_at
from visited
