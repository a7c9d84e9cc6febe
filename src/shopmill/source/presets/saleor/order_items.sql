-- with placed, sold
-- What was ordered, and what came back on the day on which the shop booked it.
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
  -back.quantity,
  sold.price,
  f.created_at,
  placed.changed_at
from order_fulfillment f
join order_fulfillmentline back on back.fulfillment_id = f.id
join sold on sold.id = back.order_line_id
join placed on placed.id = sold.order_id
where f.status in ('returned', 'refunded_and_returned', 'replaced')
