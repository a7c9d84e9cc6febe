-- One row per customer and day with purchases. Everything but the variety of articles follows from these.
select
  customer_id,
  age_days,
  count(*) as n_lines,
  count(*) filter (where sales_channel_id = 1) as n_channel_1,
  count(*) filter (where sales_channel_id = 2) as n_channel_2,
  sum(price) as spend,
  max(price) as max_price
from checked_transactions
where problem is null
group by customer_id, age_days
