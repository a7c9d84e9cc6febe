-- The sessions of the version before that may go on: from two days before, when a part of a visit that still lasts may
-- have begun; none where everything is computed.
select *
from previous_sessions
where $since > date '0001-01-01' and session_day >= $since - interval 2 days
