-- with placed, sold
-- What was ordered, and what the shop received back on the day on which it did.
select
  placed.id::text as order_id,
  sold.article_id,
  sold.quantity,
  sold.price,
  null::timestamptz as item_datetime,
  placed.changed_at
from placed
join sold on sold.order_id = placed.id
union all
select
  placed.id::text,
  sold.article_id,
  -unit.quantity,
  sold.price,
  back.created_at at time zone 'UTC',
  item.updated_at at time zone 'UTC'
from spree_return_items item
join spree_customer_returns back on back.id = item.customer_return_id
join spree_inventory_units unit on unit.id = item.inventory_unit_id
join sold on sold.id = unit.line_item_id
join placed on placed.id = sold.order_id
where item.reception_status = 'received'
