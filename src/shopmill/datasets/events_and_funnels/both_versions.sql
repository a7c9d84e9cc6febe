-- The rows of days that changed, before the as_of of the version that is continued: as they are (1) and as they were (-1).
select *, epoch_us(event_datetime) // 1000000 as second, 1 as one
from changed_events
where event_datetime < $continued_at
union all
select *, epoch_us(event_datetime) // 1000000 as second, -1 as one
from former_events
where event_datetime < $continued_at
