-- Sessions of each day by how far they got. Days before `$since` are as they were.
with counted as (
  select
    session_day,
    is_mature,
    count(*) filter (where is_counted) as session_count,
    coalesce(sum(event_count) filter (where is_counted), 0) as event_count,
    coalesce(sum(other_count) filter (where is_counted), 0) as other_event_count,
    count(*) filter (where is_counted and furthest_step_number >= 1) as view_session_count,
    count(*) filter (where is_counted and furthest_step_number >= 2) as add_to_cart_session_count,
    count(*) filter (where is_counted and furthest_step_number >= 3) as checkout_session_count,
    count(*) filter (where is_counted and furthest_step_number >= 4) as purchase_session_count,
    count(*) filter (where not is_counted) as bot_session_count,
    coalesce(sum(event_count) filter (where not is_counted), 0) as bot_event_count
  from (select *, $include_bots or not is_bot as is_counted from session_funnel where session_day >= $since) as judged
  group by session_day, is_mature
  union all
  select
    session_day, is_mature, session_count, event_count, other_event_count, view_session_count, add_to_cart_session_count,
    checkout_session_count, purchase_session_count, bot_session_count, bot_event_count
  from previous_funnel_daily
  where session_day < $since
)
select
  *,
  view_session_count / nullif(session_count, 0) as session_to_view_rate,
  add_to_cart_session_count / nullif(view_session_count, 0) as view_to_cart_rate,
  checkout_session_count / nullif(add_to_cart_session_count, 0) as cart_to_checkout_rate,
  purchase_session_count / nullif(checkout_session_count, 0) as checkout_to_purchase_rate,
  purchase_session_count / nullif(session_count, 0) as session_to_purchase_rate
from counted
