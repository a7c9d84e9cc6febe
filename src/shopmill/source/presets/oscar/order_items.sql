-- with placed, sold
-- What was ordered; what came back, on the day of the shipping event that says so; and lines that were cancelled alone.
select
  sold.order_id::text as order_id,
  sold.article_id,
  sold.quantity,
  sold.price,
  null::timestamptz as item_datetime,
  placed.changed_at
from placed
join sold on sold.order_id = placed.id
union all
select
  sold.order_id::text,
  sold.article_id,
  -back.quantity,
  sold.price,
  event.date_created,
  event.date_created
from order_shippingevent event
join order_shippingeventtype kind on kind.id = event.event_type_id and kind.code in ('returned', 'return', 'refunded')
join order_shippingeventquantity back on back.event_id = event.id
join sold on sold.id = back.line_id
union all
select
  sold.order_id::text,
  sold.article_id,
  -sold.quantity,
  sold.price,
  null,
  placed.changed_at
from placed
join sold on sold.order_id = placed.id and sold.is_cancelled
where lower(placed.status) not in ('cancelled', 'canceled')
