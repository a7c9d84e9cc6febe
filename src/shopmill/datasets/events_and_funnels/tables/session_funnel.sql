-- How far each session got: sessions of touched visitors from their events, all others of these days as they were.
-- The days are those from $since on. That is said beside them: files of days before are then not opened.
with reached as (
  select * from funnel_ordered where $funnel_mode = 'ordered'
  union all
  select * from funnel_strict where $funnel_mode = 'strict'
  union all
  select * from funnel_any where $funnel_mode = 'any'
),
recent as (
  select session_id, session_day, user_id, customer_id, is_bot, started_at, ended_at, event_count, other_count
  from sessions
  where session_day >= $since and session_day in (select day from funnel_days)
),
computed as (
  select
    session_id,
    session_day,
    (epoch_us(view_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as seconds_to_view,
    (epoch_us(add_to_cart_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as seconds_to_add_to_cart,
    (epoch_us(checkout_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as seconds_to_checkout,
    (epoch_us(purchase_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as seconds_to_purchase
  from computed_sessions
  left join reached using (visitor_key, visit_number, part_number)
),
computed_or_kept as (
  select recent.*, seconds_to_view, seconds_to_add_to_cart, seconds_to_checkout, seconds_to_purchase
  from recent
  join computed using (session_id, session_day)
  union all
  select recent.*, seconds_to_view, seconds_to_add_to_cart, seconds_to_checkout, seconds_to_purchase
  from recent
  join previous_session_funnel as kept
    on kept.session_id = recent.session_id and kept.session_day = recent.session_day
  where kept.session_day >= $since and not exists (
    select 1
    from computed
    where computed.session_id = recent.session_id and computed.session_day = recent.session_day
  )
)
select
  session_id,
  session_day,
  user_id,
  customer_id,
  is_bot,
  event_count,
  other_count,
  case
    when seconds_to_purchase is not null then 4
    when seconds_to_checkout is not null then 3
    when seconds_to_add_to_cart is not null then 2
    when seconds_to_view is not null then 1
    else 0
  end as furthest_step_number,
  case
    when seconds_to_purchase is not null then 'purchase'
    when seconds_to_checkout is not null then 'checkout'
    when seconds_to_add_to_cart is not null then 'add_to_cart'
    when seconds_to_view is not null then 'view'
    else 'none'
  end as furthest_step,
  seconds_to_view,
  seconds_to_add_to_cart,
  seconds_to_checkout,
  seconds_to_purchase,
  -- An event that this session would take can come no later than late_days after it happened.
  epoch_us($as_of_at) - epoch_us(ended_at)
    > $session_gap_minutes * 60000000 + $late_days * 86400000000 as is_mature
from computed_or_kept
