-- The customers, each once: of several rows the first by value counts. Who registered at or after as_of does not exist yet
-- (`registers_later`). An impossible age is no problem of the customer.
with dated_{{ source }}customers as (
  select *, coalesce(created_at >= $as_of_at, false) as registers_later
  from {{ source }}customers
)
select
  *,
  case
    when customer_id is null then 'customer_id is null'
    when row_number() over (
      partition by customer_id, registers_later
      order by "FN", "Active", club_member_status, fashion_news_frequency, age, postal_code, created_at, attributes
    ) > 1 then 'customer_id repeats'
  end as problem,
  case
    when json_extract_string(misfits, '$.age') is not null
      then 'age does not fit integer: ' || json_extract_string(misfits, '$.age') || ', taken as unknown'
    when age not between 0 and 120 then 'age is outside 0..120, taken as unknown'
    when json_extract_string(misfits, '$.FN') is not null
      then 'FN does not fit integer: ' || json_extract_string(misfits, '$.FN') || ', taken as unknown'
    when json_extract_string(misfits, '$.Active') is not null
      then 'Active does not fit integer: ' || json_extract_string(misfits, '$.Active') || ', taken as unknown'
    when json_extract_string(misfits, '$.created_at') is not null
      then 'created_at does not fit timestamptz: ' || json_extract_string(misfits, '$.created_at') || ', taken as unknown'
  end as unknown,
  cast(null as date) as source_day,
  to_json({
    'customer_id': customer_id, 'FN': coalesce(cast("FN" as varchar), json_extract_string(misfits, '$.FN')),
    'Active': coalesce(cast("Active" as varchar), json_extract_string(misfits, '$.Active')),
    'club_member_status': club_member_status, 'fashion_news_frequency': fashion_news_frequency,
    'age': coalesce(cast(age as varchar), json_extract_string(misfits, '$.age')), 'postal_code': postal_code
  }) as source_row
from dated_{{ source }}customers
