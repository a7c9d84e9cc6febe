select
  count(distinct recent_events.customer_id) as violations,
  count(distinct recent_events.customer_id) || ' customers are known from events alone' as detail
from recent_events
left join features on features.customer_id = recent_events.customer_id
where features.customer_id is null
