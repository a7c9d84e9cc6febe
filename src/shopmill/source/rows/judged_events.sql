-- What happened on the site, with event types as shopmill names them, whatever the tracker's words (`event_word`).
-- An event_id that was sent again is no problem of the row: what that means, each dataset says.
select
  event_id, session_id, customer_id, visitor_id, article_id, product_code,
  case when meaning <> 'other' then meaning else event_type end as event_type,
  event_type as event_word,
  event_value, currency, user_agent, event_datetime, misfits,
  case
    when event_datetime is null then
      coalesce('event_datetime does not fit timestamptz: ' || json_extract_string(misfits, '$.event_datetime'), 'event_datetime is null')
    when cast(event_datetime at time zone $time_zone as date) < $first_day
      then 'event_datetime is before first_day, ' || cast($first_day as varchar)
    when event_id is null then 'event_id is null'
    when customer_id is null and session_id is null and visitor_id is null
      then 'visitor_id, session_id and customer_id are null'
  end as problem,
  cast(event_datetime at time zone $time_zone as date) as source_day,
  to_json({
    'event_id': event_id, 'session_id': session_id, 'customer_id': customer_id, 'visitor_id': visitor_id,
    'article_id': article_id, 'event_type': event_type,
    'event_value': coalesce(cast(event_value as varchar), json_extract_string(misfits, '$.event_value')),
    'event_datetime': coalesce(cast(epoch_us(event_datetime) as varchar), json_extract_string(misfits, '$.event_datetime'))
  }) as source_row
from {{ source }}events
left join event_words on word = replace(replace(lower(trim(event_type)), ' ', '_'), '-', '_')
