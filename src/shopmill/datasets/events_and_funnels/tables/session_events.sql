-- The events of touched visitors, of all where everything is computed, each with the visit and the part of it that it
-- belongs to, numbered in order.
-- A pause opens a visit, and so does the login of another customer than the one who is logged in: nobody's events before a
-- login, and those after a logout, belong to the customer who logged in. Visit 0 goes on from before.
-- Of events at the same instant the earlier step of a purchase goes first.
with events_once as (
  select event_id, visitor_key, customer_id, article_id, event_type, type_order, event_value, user_agent, event_at
  from read_events
  where side = 'now'
    and event_at >= cast($changed_since as timestamp) at time zone $time_zone - interval 1 hour * $session_reach_hours
    and event_id not in (select event_id from repeated_events)
  union all
  select event_id, visitor_key, customer_id, article_id, event_type, type_order, event_value, user_agent, event_at
  from repeated_events
  where not is_duplicate
),
touched_events as (
  select events_once.*
  from events_once
  left join touched_visitors using (visitor_key)
  where $is_full
    or event_at > from_at
    or event_at = from_at and concat(cast(type_order as varchar), event_id) >= from_place
),
numbered as (
  select
    *,
    row_number() over (partition by visitor_key order by event_at, type_order, event_id) as event_number,
    lag(event_at) over (partition by visitor_key order by event_at, type_order, event_id) as last_at
  from touched_events
),
paused as (
  select
    numbered.*,
    coalesce(epoch_us(event_at) - epoch_us(coalesce(last_at, ended_at)) > $session_gap_minutes * 60000000, true) as opens_pause
  from numbered
  left join last_sessions on last_sessions.visitor_key = numbered.visitor_key
),
logged_in as (
  select
    *,
    max(case when opens_pause then event_number end) over (
      partition by visitor_key order by event_number rows between unbounded preceding and current row
    ) as pause_began,
    max(case when customer_id is not null then event_number end) over (
      partition by visitor_key order by event_number rows between unbounded preceding and 1 preceding
    ) as last_login,
    last_value(customer_id ignore nulls) over (
      partition by visitor_key order by event_number rows between unbounded preceding and 1 preceding
    ) as last_customer
  from paused
),
-- Who is logged in, is so since the last pause. Before the first one, that of the last session goes on.
opened as (
  select
    logged_in.*,
    last_sessions.visit_started_at as earlier_visit,
    opens_pause
      or coalesce(
        customer_id <> case
          when last_login >= coalesce(pause_began, 0) then last_customer
          when pause_began is null then last_sessions.logged_in_customer
        end,
        false
      ) as opens_visit
  from logged_in
  left join last_sessions on last_sessions.visitor_key = logged_in.visitor_key
),
visited as (
  select
    *,
    sum(case when opens_visit then 1 else 0 end) over (
      partition by visitor_key order by event_number rows between unbounded preceding and current row
    ) as visit_number,
    coalesce(
      max(case when opens_visit then event_at end) over (
        partition by visitor_key order by event_number rows between unbounded preceding and current row
      ),
      earlier_visit
    ) as visit_started_at
  from opened
)
select
  visitor_key,
  customer_id,
  visit_number,
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
  user_agent,
  event_at
from visited
