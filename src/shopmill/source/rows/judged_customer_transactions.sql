-- The lines of purchase for datasets that have rows per customer: without a customer a line cannot be used there.
select
  t_dat, customer_id, article_id, price, sales_channel_id,
  coalesce(problem, case when customer_id is null then 'customer_id is null' end) as problem,
  source_day, source_row
from judged_transactions
