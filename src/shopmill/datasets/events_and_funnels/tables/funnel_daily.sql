-- Sessions of each day by how far they got. Days before `$since` are as they were.
with counted as (
  select
    session_day,
    is_mature,
    count(*) as session_count,
    sum(event_count) as event_count,
    count(*) filter (where furthest_step_number >= 1) as view_session_count,
    count(*) filter (where furthest_step_number >= 2) as add_to_cart_session_count,
    count(*) filter (where furthest_step_number >= 3) as checkout_session_count,
    count(*) filter (where furthest_step_number >= 4) as purchase_session_count
  from session_funnel
  where session_day >= $since
  group by session_day, is_mature
  union all
  select
    session_day, is_mature, session_count, event_count, view_session_count, add_to_cart_session_count,
    checkout_session_count, purchase_session_count
  from previous_funnel_daily
  where session_day < $since
)
select
  *,
  view_session_count / session_count as session_to_view_rate,
  add_to_cart_session_count / nullif(view_session_count, 0) as view_to_cart_rate,
  checkout_session_count / nullif(add_to_cart_session_count, 0) as cart_to_checkout_rate,
  purchase_session_count / nullif(checkout_session_count, 0) as checkout_to_purchase_rate,
  purchase_session_count / session_count as session_to_purchase_rate
from counted
