-- The sessions of the previous version that may go on: from `reach_days` before, when a part of a visit that still lasts may
-- have begun.
select *
from earlier_sessions
where session_day >= $since - interval 1 day * $reach_days
