-- What logged-in customers did in the 30 days before as_of, each event once however often the tracker sent it.
-- `problem` says why a row cannot be used.
select
  event_id, customer_id, event_type, event_datetime,
  cast(event_datetime at time zone $time_zone as date) as day,
  case
    when event_id is null then 'event_id is null'
    when event_datetime is null then 'event_datetime is null'
  end as problem
from events
where customer_id is not null
  and (event_datetime is null or date_diff('day', cast(event_datetime at time zone $time_zone as date), $as_of) <= 30)
qualify event_id is null or row_number() over (partition by event_id order by event_datetime, customer_id, event_type) = 1
