-- What logged-in customers did in the 30 days before as_of, each event once however often the tracker sent it.
select *
from judged_events
where customer_id is not null and (source_day is null or date_diff('day', source_day, $as_of) <= 30)
qualify
  problem is not null
  or row_number() over (partition by event_id, problem is null order by event_datetime, customer_id, event_type) = 1
