-- What each customer did in the sessions that started in the last 1, 7 and 30 days before as_of, half-open to the
-- microsecond. Whole sessions: the edge of a window never parts a purchase from its views.
-- A run that continues counts the sessions of customers with new events and of those with a session that fell out of a
-- window; all others have the counts that they had.
with counted_customers as (
  select substr(user_id, length('customer:') + 1) as counted_id
  from touched_users
  where $since > date '0001-01-01' and starts_with(user_id, 'customer:')
  union all
  select customer_id
  from sessions
  where $since > date '0001-01-01'
    and customer_id is not null
    and (
      started_at >= $continued_at - interval 24 hours and started_at < $as_of_at - interval 24 hours
      or started_at >= $continued_at - interval 168 hours and started_at < $as_of_at - interval 168 hours
      or started_at >= $continued_at - interval 720 hours and started_at < $as_of_at - interval 720 hours
    )
),
last_30d as (
  select
    customer_id,
    max(ended_at) as last_event_at,
    count(*) as session_count_30d,
    sum(event_count) as event_count_30d,
    sum(view_count) as view_count_30d,
    sum(click_count) as click_count_30d,
    sum(add_to_cart_count) as add_to_cart_count_30d,
    sum(checkout_count) as checkout_count_30d,
    sum(purchase_count) as purchase_count_30d,
    sum(purchase_value_sum) as purchase_value_sum_30d,
    count(*) filter (where is_converted) as converted_session_count_30d
  from sessions
  where customer_id is not null
    and session_day >= $as_of - interval 31 days
    and epoch_us($as_of_at) - epoch_us(started_at) <= 2592000000000
    and ($since = date '0001-01-01' or customer_id in (select counted_id from counted_customers))
  group by customer_id
),
last_7d as (
  select
    customer_id,
    count(*) as session_count_7d,
    sum(event_count) as event_count_7d,
    sum(view_count) as view_count_7d,
    sum(click_count) as click_count_7d,
    sum(add_to_cart_count) as add_to_cart_count_7d,
    sum(checkout_count) as checkout_count_7d,
    sum(purchase_count) as purchase_count_7d,
    sum(purchase_value_sum) as purchase_value_sum_7d,
    count(*) filter (where is_converted) as converted_session_count_7d
  from sessions
  where customer_id is not null
    and session_day >= $as_of - interval 8 days
    and epoch_us($as_of_at) - epoch_us(started_at) <= 604800000000
    and ($since = date '0001-01-01' or customer_id in (select counted_id from counted_customers))
  group by customer_id
),
last_1d as (
  select
    customer_id,
    count(*) as session_count_1d,
    sum(event_count) as event_count_1d,
    sum(view_count) as view_count_1d,
    sum(click_count) as click_count_1d,
    sum(add_to_cart_count) as add_to_cart_count_1d,
    sum(checkout_count) as checkout_count_1d,
    sum(purchase_count) as purchase_count_1d,
    sum(purchase_value_sum) as purchase_value_sum_1d,
    count(*) filter (where is_converted) as converted_session_count_1d
  from sessions
  where customer_id is not null
    and session_day >= $as_of - interval 2 days
    and epoch_us($as_of_at) - epoch_us(started_at) <= 86400000000
    and ($since = date '0001-01-01' or customer_id in (select counted_id from counted_customers))
  group by customer_id
)
select
  last_30d.customer_id,
  last_event_at,
  coalesce(session_count_1d, 0) as session_count_1d,
  coalesce(event_count_1d, 0) as event_count_1d,
  coalesce(view_count_1d, 0) as view_count_1d,
  coalesce(click_count_1d, 0) as click_count_1d,
  coalesce(add_to_cart_count_1d, 0) as add_to_cart_count_1d,
  coalesce(checkout_count_1d, 0) as checkout_count_1d,
  coalesce(purchase_count_1d, 0) as purchase_count_1d,
  coalesce(purchase_value_sum_1d, 0) as purchase_value_sum_1d,
  coalesce(converted_session_count_1d, 0) as converted_session_count_1d,
  add_to_cart_count_1d / nullif(view_count_1d, 0) as view_to_cart_rate_1d,
  purchase_count_1d / nullif(add_to_cart_count_1d, 0) as cart_to_purchase_rate_1d,
  converted_session_count_1d / nullif(session_count_1d, 0) as conversion_rate_1d,
  coalesce(session_count_7d, 0) as session_count_7d,
  coalesce(event_count_7d, 0) as event_count_7d,
  coalesce(view_count_7d, 0) as view_count_7d,
  coalesce(click_count_7d, 0) as click_count_7d,
  coalesce(add_to_cart_count_7d, 0) as add_to_cart_count_7d,
  coalesce(checkout_count_7d, 0) as checkout_count_7d,
  coalesce(purchase_count_7d, 0) as purchase_count_7d,
  coalesce(purchase_value_sum_7d, 0) as purchase_value_sum_7d,
  coalesce(converted_session_count_7d, 0) as converted_session_count_7d,
  add_to_cart_count_7d / nullif(view_count_7d, 0) as view_to_cart_rate_7d,
  purchase_count_7d / nullif(add_to_cart_count_7d, 0) as cart_to_purchase_rate_7d,
  converted_session_count_7d / nullif(session_count_7d, 0) as conversion_rate_7d,
  session_count_30d,
  event_count_30d,
  view_count_30d,
  click_count_30d,
  add_to_cart_count_30d,
  checkout_count_30d,
  purchase_count_30d,
  purchase_value_sum_30d,
  converted_session_count_30d,
  add_to_cart_count_30d / nullif(view_count_30d, 0) as view_to_cart_rate_30d,
  purchase_count_30d / nullif(add_to_cart_count_30d, 0) as cart_to_purchase_rate_30d,
  converted_session_count_30d / nullif(session_count_30d, 0) as conversion_rate_30d
from last_30d
left join last_7d on last_7d.customer_id = last_30d.customer_id
left join last_1d on last_1d.customer_id = last_30d.customer_id
union all
select *
from previous_customer_behaviour
where $since > date '0001-01-01' and customer_id not in (select counted_id from counted_customers)
