-- The days with a session whose funnel may differ from the previous version: one that may differ itself, or one that has
-- become mature.
select day
from session_days
union
select session_day
from previous_sessions
where session_day >= $since
  and epoch_us($continued_at) - epoch_us(ended_at) <= $session_gap_minutes * 60000000 + $late_days * 86400000000
  and epoch_us($as_of_at) - epoch_us(ended_at) > $session_gap_minutes * 60000000 + $late_days * 86400000000
