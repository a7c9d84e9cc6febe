-- The sessions of the version before that may go on, with a day before them; none where everything is computed.
select *
from previous_sessions
where $since > date '0001-01-01' and session_day >= $since - interval 1 day
