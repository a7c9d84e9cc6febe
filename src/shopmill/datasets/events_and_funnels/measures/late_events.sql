select count(*) as value
from late_events
join session_events using (event_id, visitor_key, event_at)
