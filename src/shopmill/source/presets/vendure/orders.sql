-- with placed
select
  placed.id::text as order_id,
  placed.customer_id,
  placed.placed_at as order_datetime,
  placed.state as order_status,
  placed.currency,
  placed.changed_at
from placed
