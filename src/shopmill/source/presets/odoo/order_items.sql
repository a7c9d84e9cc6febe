-- with placed, sold
-- What was ordered, and what was moved back into the warehouse on the day on which it was.
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
  -move.product_qty::numeric,
  sold.price,
  move.date at time zone 'UTC',
  move.write_date at time zone 'UTC'
from stock_move move
join stock_location place on place.id = move.location_dest_id and place.usage = 'internal'
join sold on sold.id = move.sale_line_id
join placed on placed.id = sold.order_id
where move.state = 'done' and move.origin_returned_move_id is not null
