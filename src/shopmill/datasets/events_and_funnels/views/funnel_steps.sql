-- The events of the funnel, with the number of their step.
select
  visitor_key,
  visit_number,
  part_number,
  event_number,
  event_at,
  case event_type when 'view' then 1 when 'add_to_cart' then 2 when 'checkout' then 3 else 4 end as step
from session_events
where event_type in ('view', 'add_to_cart', 'checkout', 'purchase')
