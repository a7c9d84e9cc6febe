-- The orders, each once: of several rows the first with a customer, by time, counts.
select
  *,
  case
    when order_id is null then 'order_id is null'
    when customer_id is null then 'customer_id is null'
    when order_datetime is null then 'order_datetime is null'
    when row_number() over (
      partition by order_id
      order by customer_id is null, order_datetime, customer_id, order_status
    ) > 1 then 'order_id repeats'
  end as problem,
  cast(order_datetime at time zone $time_zone as date) as source_day,
  to_json({
    'order_id': order_id, 'customer_id': customer_id, 'order_datetime': cast(epoch_us(order_datetime) as varchar),
    'order_status': order_status
  }) as source_row
from {{ source }}orders
