-- The lines of the orders, dated by their order.
with dated_orders as (
  select order_id as dated_id, source_day as ordered_on
  from judged_orders
  where problem is null
)
select
  items.*,
  case
    when dated_id is null then 'its order cannot be used'
    when article_id is null then 'article_id is null'
    when quantity is null then 'quantity is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem,
  ordered_on as source_day,
  to_json({
    'order_id': order_id, 'article_id': article_id, 'quantity': cast(quantity as varchar), 'price': cast(price as varchar)
  }) as source_row
from {{ source }}order_items as items
left join dated_orders on dated_id = order_id
