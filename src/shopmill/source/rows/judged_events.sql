-- What happened on the site, with event types as shopmill names them, whatever the tracker's words (`event_word`), and
-- `event_value` in the shop's own currency.
-- An event_id that was sent again is no problem of the row: what that means, each dataset says.
with converted_{{ source }}events as (
  select
    given.*,
    meaning,
    cast(event_datetime at time zone $time_zone as date) as happened_on,
    {{ rate_of_day }}
  from {{ source }}events as given
  left join event_words on word = replace(replace(lower(trim(event_type)), ' ', '_'), '-', '_')
  left join rates_by_day as rates
    on rates.currency = upper(given.currency)
    and rates.day = cast(event_datetime at time zone $time_zone as date)
),
valued_{{ source }}events as (
  select
    *,
    case
      when rate_of_day = 1 then event_value
      else try_cast(cast(event_value as decimal(19, 6)) * rate_of_day as decimal(18, 6))
    end as own_value
  from converted_{{ source }}events
)
select
  event_id, session_id, customer_id, visitor_id, article_id, product_code,
  case when meaning <> 'other' then meaning else event_type end as event_type,
  event_type as event_word,
  own_value as event_value,
  currency, user_agent, event_datetime, misfits,
  case
    when event_datetime is null then
      coalesce('event_datetime does not fit timestamptz: ' || json_extract_string(misfits, '$.event_datetime'), 'event_datetime is null')
    when happened_on < $first_day then 'event_datetime is before first_day, ' || cast($first_day as varchar)
    when event_id is null then 'event_id is null'
    when customer_id is null and session_id is null and visitor_id is null
      then 'visitor_id, session_id and customer_id are null'
    when event_value is not null and rate_of_day is null
      then 'no exchange rate for ' || upper(currency) || ' at or before its day'
    when event_value is not null and own_value is null then 'event_value is 1000000000000 or more'
  end as problem,
  'event_value does not fit decimal(18,6): ' || json_extract_string(misfits, '$.event_value') || ', taken as unknown'
    as unknown,
  happened_on as source_day,
  to_json({
    'event_id': event_id, 'session_id': session_id, 'customer_id': customer_id, 'visitor_id': visitor_id,
    'article_id': article_id, 'event_type': event_type,
    'event_value': coalesce(cast(event_value as varchar), json_extract_string(misfits, '$.event_value')),
    'currency': currency,
    'event_datetime': coalesce(cast(epoch_us(event_datetime) as varchar), json_extract_string(misfits, '$.event_datetime'))
  }) as source_row
from valued_{{ source }}events
