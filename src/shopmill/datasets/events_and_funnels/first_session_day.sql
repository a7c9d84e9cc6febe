-- The first day with a session that may differ from the version before: one of a touched user, or one that was open.
-- Sessions of earlier days are as they were.
select min(day) as since
from (
  select cast(from_at at time zone $time_zone as date) as day
  from touched_users
  union all
  select session_day
  from previous_sessions
  where session_day >= $since and is_open
  union all
  select $as_of
) as days
