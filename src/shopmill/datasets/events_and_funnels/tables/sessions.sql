-- Sessions of touched users computed from their events, and all others of these days as they were.
with computed as (
  select
    user_id,
    visit_started_at,
    part_number,
    min(customer_id) as customer_id,
    min(event_at) as started_at,
    max(event_at) as ended_at,
    count(*) as event_count,
    count(*) filter (where event_type = 'view') as view_count,
    count(*) filter (where event_type = 'click') as click_count,
    count(*) filter (where event_type = 'add_to_cart') as add_to_cart_count,
    count(*) filter (where event_type = 'remove_from_cart') as remove_from_cart_count,
    count(*) filter (where event_type = 'checkout') as checkout_count,
    count(*) filter (where event_type = 'purchase') as purchase_count,
    count(*) filter (
      where event_type not in ('view', 'click', 'add_to_cart', 'remove_from_cart', 'checkout', 'purchase')
    ) as other_count,
    count(distinct article_id) as article_count,
    coalesce(sum(event_value) filter (where event_type = 'purchase'), 0) as purchase_value_sum,
    arg_min(event_type, event_number) as first_event_type,
    arg_max(event_type, event_number) as last_event_type,
    arg_min(event_id, event_number) as first_event_id
  from session_events
  group by user_id, visit_started_at, part_number
),
computed_or_kept as (
  select
    user_id, visit_started_at, part_number, customer_id, started_at, ended_at, event_count, view_count, click_count,
    add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count, other_count, article_count,
    purchase_value_sum, first_event_type, last_event_type, first_event_id,
    -- The length in front keeps two users whose names run into an event_id apart.
    md5(concat(cast(length(user_id) as varchar), ':', user_id, first_event_id)) as session_id,
    cast(started_at at time zone $time_zone as date) as session_day,
    max(part_number) over (partition by user_id, visit_started_at) > 1 as is_cut
  from computed
  union all
  select
    user_id, visit_started_at, part_number, customer_id, started_at, ended_at, event_count, view_count, click_count,
    add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count, other_count, article_count,
    purchase_value_sum, first_event_type, last_event_type, first_event_id,
    session_id,
    session_day,
    is_cut
  from recent_sessions as kept
  where session_day in (select day from session_days)
    and not exists (
      select 1 from touched_users where touched_users.user_id = kept.user_id and touched_users.from_at <= kept.started_at
    )
)
select
  *,
  (epoch_us(ended_at) - epoch_us(started_at)) * cast(0.000001 as decimal(18, 6)) as duration_s,
  event_count = 1 as is_bounce,
  purchase_count > 0 as is_converted,
  epoch_us($as_of_at) - epoch_us(ended_at) <= $session_gap_minutes * 60000000
    and epoch_us($as_of_at) - epoch_us(visit_started_at) <= part_number * $max_session_hours * 3600000000 as is_open
from computed_or_kept
