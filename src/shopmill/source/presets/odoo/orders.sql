-- with placed
select
  placed.id::text as order_id,
  placed.customer_id,
  placed.ordered_at as order_datetime,
  case placed.state when 'cancel' then 'cancelled' else placed.state end as order_status,
  placed.currency,
  placed.changed_at
from placed
