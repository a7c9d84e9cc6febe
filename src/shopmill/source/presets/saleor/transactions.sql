-- with placed, sold
select
  placed.created_at as t_dat,
  placed.customer_id,
  sold.article_id,
  sold.price,
  sold.quantity,
  placed.currency,
  2 as sales_channel_id,
  placed.changed_at
from placed
join sold on sold.order_id = placed.id
