-- The sessions of the version before that may go on: from two days before, when a part of a visit that still lasts may
-- have begun.
select *
from earlier_sessions
where session_day >= $since - interval 2 days
