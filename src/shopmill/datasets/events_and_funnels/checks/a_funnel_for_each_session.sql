select count(*) as violations
from (select session_id, session_day, event_count from sessions) as one
full join (
  select session_id, session_day, event_count
  from session_funnel
  where session_day in (select day from session_days)
) as other
  on one.session_id = other.session_id and one.session_day = other.session_day and one.event_count = other.event_count
where one.session_id is null or other.session_id is null
