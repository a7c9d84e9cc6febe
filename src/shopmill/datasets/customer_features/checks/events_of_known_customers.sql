select
  count(distinct checked_events.customer_id) as violations,
  count(distinct checked_events.customer_id) || ' customers are known from events alone' as detail
from checked_events
left join features on features.customer_id = checked_events.customer_id
where features.customer_id is null
