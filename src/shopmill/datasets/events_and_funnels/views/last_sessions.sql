-- Of each touched visitor the last session that is kept: where it was cut, or pauses no longer than a session may, its
-- visit goes on, and with it whoever is logged in.
select
  recent_sessions.visitor_key,
  ended_at,
  visit_started_at,
  case when identified_by = 'login' then customer_id end as logged_in_customer,
  is_bot
from recent_sessions
join touched_visitors
  on touched_visitors.visitor_key = recent_sessions.visitor_key
  and (started_at < from_at or started_at = from_at and first_place < from_place)
qualify row_number() over (partition by recent_sessions.visitor_key order by started_at desc, first_place desc) = 1
