-- with person, placed, sold
-- A line that was added later, by an edit or an exchange, is of the day on which it was added.
select
  sold.created_at as t_dat,
  sold.customer_id,
  sold.article_id,
  sold.price,
  sold.quantity,
  sold.currency,
  2 as sales_channel_id,
  sold.changed_at
from sold
