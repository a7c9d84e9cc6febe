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
    arg_min(event_id, event_number) as first_event_id,
    count(user_agent) as n_named,
    count(*) filter (where user_agent in (select user_agent from user_agents where is_crawler)) as n_of_crawlers
  from session_events
  group by visitor_key, visit_number, visit_started_at, part_number
),
-- Events in the minutes of sessions that may be too busy for a person, where no user_agent says who they are.
minutes as (
  select visitor_key, visit_number, part_number, epoch_us(event_at) // 60000000 as minute, count(*) as n_events
  from session_events
  join (
    select visitor_key, visit_number, part_number
    from counted
    where n_named = 0 and event_count > least($bot_minutes, $bot_events_per_minute)
  ) as busy using (visitor_key, visit_number, part_number)
  where event_type in (select word from event_words where meaning = word)
  group by visitor_key, visit_number, part_number, epoch_us(event_at) // 60000000
),
restless as (
  select visitor_key, visit_number, part_number
  from minutes
  group by visitor_key, visit_number, part_number
  having count(*) > $bot_minutes or max(n_events) > $bot_events_per_minute
),
carried as (
  select
    counted.*,
    max(
      case
        when n_of_crawlers > 0 or restless.visitor_key is not null then 1
        when counted.visit_number = 0 and last_sessions.is_bot then 1
        else 0
      end
    ) over (
      partition by counted.visitor_key, counted.visit_number order by counted.part_number
      rows between unbounded preceding and current row
    ) = 1 as is_bot,
    coalesce(
      max(counted.logged_in_customer) over (
        partition by counted.visitor_key, counted.visit_number order by counted.part_number
        rows between unbounded preceding and current row
      ),
      case when counted.visit_number = 0 then last_sessions.logged_in_customer end
    ) as visit_customer,
    max(counted.part_number) over (partition by counted.visitor_key, counted.visit_number) > 1 as is_cut,
    row_number() over (partition by counted.visitor_key order by counted.visit_number desc, counted.part_number desc) = 1 as is_last
  from counted
  left join restless
    on restless.visitor_key = counted.visitor_key
    and restless.visit_number = counted.visit_number
    and restless.part_number = counted.part_number
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
  is_bot
from remembered
