-- The orders, each once. `problem` says why a row cannot be used.
select
  order_id, customer_id, order_datetime, order_status,
  cast(order_datetime at time zone $time_zone as date) as day,
  date_diff('day', cast(order_datetime at time zone $time_zone as date), $as_of) as age_days,
  coalesce(order_status = 'cancelled', false) as is_cancelled,
  case
    when order_id is null then 'order_id is null'
    when customer_id is null then 'customer_id is null'
    when order_datetime is null then 'order_datetime is null'
    when row_number() over (
      partition by order_id
      order by customer_id is null, order_datetime, customer_id, order_status
    ) > 1 then 'order_id repeats'
  end as problem
from orders
