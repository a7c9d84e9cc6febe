select
  order_id, article_id, quantity, price
from order_items
