-- with placed
select
  placed.id::text as order_id,
  placed.customer_id,
  placed.date_placed as order_datetime,
  placed.status as order_status,
  placed.currency,
  placed.changed_at
from placed
