-- The sessions of touched visitors, from their events. A visit has one customer at most, the one who logged in during it;
-- a part of it has the one who logged in by its end.
with counted as (
  select
    visitor_key,
    visit_number,
    visit_started_at,
    part_number,
    max(customer_id) as logged_in_customer,
    min(event_at) as started_at,
    max(event_at) as ended_at,
    count(*) as event_count,
    count(*) filter (where event_type = 'view') as view_count,
    count(*) filter (where event_type = 'click') as click_count,
    count(*) filter (where event_type = 'add_to_cart') as add_to_cart_count,
    count(*) filter (where event_type = 'remove_from_cart') as remove_from_cart_count,
    count(*) filter (where event_type = 'checkout') as checkout_count,
    count(*) filter (where event_type = 'purchase') as purchase_count,
    count(distinct article_id) as article_count,
    coalesce(sum(event_value) filter (where event_type = 'purchase'), 0) as purchase_value_sum,
    arg_min(event_type, event_number) as first_event_type,
    arg_max(event_type, event_number) as last_event_type,
    arg_min(event_id, event_number) as first_event_id
  from session_events
  group by visitor_key, visit_number, visit_started_at, part_number
),
carried as (
  select
    counted.*,
    coalesce(
      max(counted.logged_in_customer) over (
        partition by counted.visitor_key, visit_number order by part_number
        rows between unbounded preceding and current row
      ),
      case when visit_number = 0 then last_sessions.logged_in_customer end
    ) as visit_customer,
    max(part_number) over (partition by counted.visitor_key, visit_number) > 1 as is_cut,
    row_number() over (partition by counted.visitor_key order by visit_number desc, part_number desc) = 1 as is_last
  from counted
  left join last_sessions on last_sessions.visitor_key = counted.visitor_key
),
remembered as (
  select
    carried.*,
    case
      when $stitching = 'visitor' and starts_with(carried.visitor_key, 'visitor_id:') then
        coalesce(
          last_value(visit_customer ignore nulls) over (
            partition by carried.visitor_key order by visit_number, part_number
            rows between unbounded preceding and 1 preceding
          ),
          known_customer
        )
    end as known_customer_before
  from carried
  left join known_visitors on known_visitors.visitor_key = carried.visitor_key
)
select
  -- The length in front keeps two visitors whose names run into an event_id apart.
  md5(concat(cast(length(visitor_key) as varchar), ':', visitor_key, first_event_id)) as session_id,
  cast(started_at at time zone $time_zone as date) as session_day,
  coalesce(visit_customer, known_customer_before) as customer_id,
  case
    when visit_customer is not null then 'login'
    when known_customer_before is not null then 'visitor'
  end as identified_by,
  visitor_key, visit_number, visit_started_at, part_number, started_at, ended_at, event_count, view_count, click_count,
  add_to_cart_count, remove_from_cart_count, checkout_count, purchase_count,
  event_count - view_count - click_count - add_to_cart_count - remove_from_cart_count - checkout_count - purchase_count
    as other_count,
  article_count, purchase_value_sum, first_event_type, last_event_type, first_event_id, is_cut, is_last,
  false as is_bot
from remembered
