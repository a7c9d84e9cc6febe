-- The events whose event_id another one has too, and how long after the one before each came.
select event_id, epoch_us(event_at) - epoch_us(lag(event_at) over (partition by event_id order by event_at)) as since_last_us
from session_events
where event_id in (select event_id from session_events group by event_id having count(*) > 1)
