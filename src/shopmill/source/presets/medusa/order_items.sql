-- with person, placed, sold
-- What was ordered, and what came back, whole or damaged, on the day on which the warehouse received it.
select
  sold.order_id,
  sold.article_id,
  sold.quantity,
  sold.price,
  null::timestamptz as item_datetime,
  sold.changed_at
from sold
union all
select
  sold.order_id,
  sold.article_id,
  -(item.received_quantity + item.damaged_quantity),
  sold.price,
  back.received_at,
  greatest(back.updated_at, sold.changed_at)
from return back
join return_item item on item.return_id = back.id and item.deleted_at is null
join sold on sold.id = item.item_id
where back.deleted_at is null and back.canceled_at is null and back.received_at is not null
  and item.received_quantity + item.damaged_quantity > 0
