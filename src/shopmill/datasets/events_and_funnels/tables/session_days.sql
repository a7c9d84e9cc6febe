-- The days with a session that may differ from the previous version: of a touched visitor, as it was or as it is, or one that
-- was open. All others are as they were. Where everything is computed it is every day that there is or was.
-- Of touched visitors also the days of their history, and of events that are no longer there: what it says of them may change.
select cast(event_at at time zone $time_zone as date) as day
from session_events
union
select cast(event_at at time zone $time_zone as date)
from altered_events
union
select session_day
from previous_sessions
join touched_visitors on touched_visitors.visitor_key = previous_sessions.visitor_key and from_at <= started_at
where session_day >= $since
union
select session_day
from previous_sessions
where session_day >= $since and (is_open or $is_full)
union
select session_day
from previous_session_history
where $is_full
  or session_day >= $since and visitor_key in (select visitor_key from touched_visitors)
