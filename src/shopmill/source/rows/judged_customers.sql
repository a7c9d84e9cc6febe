-- The customers, each once: of several rows the first by value counts. An impossible age is no problem of the customer.
select
  *,
  case
    when customer_id is null then 'customer_id is null'
    when row_number() over (
      partition by customer_id
      order by "FN", "Active", club_member_status, fashion_news_frequency, age, postal_code
    ) > 1 then 'customer_id repeats'
  end as problem,
  cast(null as date) as source_day,
  to_json({
    'customer_id': customer_id, 'FN': cast("FN" as varchar), 'Active': cast("Active" as varchar),
    'club_member_status': club_member_status, 'fashion_news_frequency': fashion_news_frequency,
    'age': cast(age as varchar), 'postal_code': postal_code
  }) as source_row
from {{ source }}customers
