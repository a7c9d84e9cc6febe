-- The lines of the orders. `problem` says why a row cannot be used.
with usable_orders as (
  select order_id, day
  from checked_orders
  where problem is null
)
select
  order_items.order_id, article_id, quantity, price, usable_orders.day,
  case
    when usable_orders.order_id is null then 'its order cannot be used'
    when article_id is null then 'article_id is null'
    when quantity is null then 'quantity is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem
from order_items
left join usable_orders on usable_orders.order_id = order_items.order_id
