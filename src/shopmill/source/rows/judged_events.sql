-- What happened on the site. An event_id that was sent again is no problem of the row: what that means, each dataset says.
select
  *,
  case
    when event_datetime is null then 'event_datetime is null'
    when event_id is null then 'event_id is null'
    when customer_id is null and session_id is null and visitor_id is null
      then 'visitor_id, session_id and customer_id are null'
  end as problem,
  cast(event_datetime at time zone $time_zone as date) as source_day,
  to_json({
    'event_id': event_id, 'session_id': session_id, 'customer_id': customer_id, 'visitor_id': visitor_id,
    'article_id': article_id, 'event_type': event_type, 'event_value': cast(event_value as varchar),
    'event_datetime': cast(epoch_us(event_datetime) as varchar)
  }) as source_row
from {{ source }}events
