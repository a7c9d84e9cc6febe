-- What each customer did in the sessions that started in the last 1, 7 and 30 days before as_of, half-open to the
-- microsecond. Whole sessions: the edge of a window never parts a purchase from its views.
with recent as (
  select
    *,
    epoch_us($as_of_at) - epoch_us(started_at) <= 86400000000 as in_1d,
    epoch_us($as_of_at) - epoch_us(started_at) <= 604800000000 as in_7d
  from sessions
  where customer_id is not null
    and session_day >= $as_of - interval 31 days
    and epoch_us($as_of_at) - epoch_us(started_at) <= 2592000000000
),
summed as (
  select
    customer_id,
    max(ended_at) as last_event_at,
    count(*) filter (where in_1d) as session_count_1d,
    coalesce(sum(event_count) filter (where in_1d), 0) as event_count_1d,
    coalesce(sum(view_count) filter (where in_1d), 0) as view_count_1d,
    coalesce(sum(click_count) filter (where in_1d), 0) as click_count_1d,
    coalesce(sum(add_to_cart_count) filter (where in_1d), 0) as add_to_cart_count_1d,
    coalesce(sum(checkout_count) filter (where in_1d), 0) as checkout_count_1d,
    coalesce(sum(purchase_count) filter (where in_1d), 0) as purchase_count_1d,
    coalesce(sum(purchase_value_sum) filter (where in_1d), 0) as purchase_value_sum_1d,
    count(*) filter (where is_converted and in_1d) as converted_session_count_1d,
    count(*) filter (where in_7d) as session_count_7d,
    coalesce(sum(event_count) filter (where in_7d), 0) as event_count_7d,
    coalesce(sum(view_count) filter (where in_7d), 0) as view_count_7d,
    coalesce(sum(click_count) filter (where in_7d), 0) as click_count_7d,
    coalesce(sum(add_to_cart_count) filter (where in_7d), 0) as add_to_cart_count_7d,
    coalesce(sum(checkout_count) filter (where in_7d), 0) as checkout_count_7d,
    coalesce(sum(purchase_count) filter (where in_7d), 0) as purchase_count_7d,
    coalesce(sum(purchase_value_sum) filter (where in_7d), 0) as purchase_value_sum_7d,
    count(*) filter (where is_converted and in_7d) as converted_session_count_7d,
    count(*) as session_count_30d,
    sum(event_count) as event_count_30d,
    sum(view_count) as view_count_30d,
    sum(click_count) as click_count_30d,
    sum(add_to_cart_count) as add_to_cart_count_30d,
    sum(checkout_count) as checkout_count_30d,
    sum(purchase_count) as purchase_count_30d,
    sum(purchase_value_sum) as purchase_value_sum_30d,
    count(*) filter (where is_converted) as converted_session_count_30d
  from recent
  group by customer_id
)
select
  *,
  add_to_cart_count_1d / nullif(view_count_1d, 0) as view_to_cart_rate_1d,
  purchase_count_1d / nullif(add_to_cart_count_1d, 0) as cart_to_purchase_rate_1d,
  converted_session_count_1d / nullif(session_count_1d, 0) as conversion_rate_1d,
  add_to_cart_count_7d / nullif(view_count_7d, 0) as view_to_cart_rate_7d,
  purchase_count_7d / nullif(add_to_cart_count_7d, 0) as cart_to_purchase_rate_7d,
  converted_session_count_7d / nullif(session_count_7d, 0) as conversion_rate_7d,
  add_to_cart_count_30d / nullif(view_count_30d, 0) as view_to_cart_rate_30d,
  purchase_count_30d / nullif(add_to_cart_count_30d, 0) as cart_to_purchase_rate_30d,
  converted_session_count_30d / nullif(session_count_30d, 0) as conversion_rate_30d
from summed
