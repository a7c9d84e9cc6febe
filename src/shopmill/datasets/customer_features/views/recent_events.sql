-- What logged-in customers did in the longest window before as_of, each event once however often the tracker sent it.
-- The bound on event_datetime, two days wider than any zone, says it of the column itself: files of earlier days are not read.
select *
from (select *, date_diff('day', source_day, $as_of) as age_days from judged_events) as aged
where customer_id is not null
  and (event_datetime is null or event_datetime >= cast($as_of as timestamp) at time zone $time_zone - interval {{ event_days }} days)
  and (age_days is null{% for w in event_windows %} or {{ w.holds }}{% endfor %})
qualify
  problem is not null
  or row_number() over (partition by event_id, problem is null order by event_datetime, customer_id, event_type) = 1
