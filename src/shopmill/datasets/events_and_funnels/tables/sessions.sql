-- Sessions of touched visitors computed from their events, and all others of these days as they were.
with computed_or_kept as (
  select
    session_id, session_day, visitor_key, customer_id, identified_by, visit_started_at, part_number, started_at, ended_at,
    event_count, view_count, click_count, add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count,
    other_count, article_count, purchase_value_sum, first_event_type, last_event_type, first_event_id, is_cut, is_bot,
    is_last as may_go_on
  from computed_sessions
  union all
  select
    session_id, session_day, visitor_key, customer_id, identified_by, visit_started_at, part_number, started_at, ended_at,
    event_count, view_count, click_count, add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count,
    other_count, article_count, purchase_value_sum, first_event_type, last_event_type, first_event_id, is_cut, is_bot,
    is_open
  from recent_sessions as kept
  where session_day in (select day from session_days)
    and not exists (
      select 1
      from touched_visitors as touched
      where touched.visitor_key = kept.visitor_key
        and (touched.from_at < kept.started_at or touched.from_at = kept.started_at and touched.from_place <= kept.first_place)
    )
)
select
  session_id, session_day, visitor_key, customer_id, identified_by, visit_started_at, part_number, started_at, ended_at,
  event_count, view_count, click_count, add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count,
  other_count, article_count, purchase_value_sum, first_event_type, last_event_type, first_event_id, is_cut, is_bot,
  case
    when customer_id is not null then 'customer:' || customer_id
    when starts_with(visitor_key, 'visitor_id:') then 'visitor:' || substr(visitor_key, length('visitor_id:') + 1)
    else visitor_key
  end as user_id,
  (epoch_us(ended_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as duration_s,
  event_count = 1 as is_bounce,
  purchase_count > 0 as is_converted,
  may_go_on
    and epoch_us($as_of_at) - epoch_us(ended_at) <= $session_gap_minutes * 60000000
    and epoch_us($as_of_at) - epoch_us(visit_started_at) <= part_number * $max_session_hours * 3600000000 as is_open
from computed_or_kept
