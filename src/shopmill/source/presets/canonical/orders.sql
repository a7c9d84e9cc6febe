select
  order_id, customer_id, order_datetime, order_status
from orders
