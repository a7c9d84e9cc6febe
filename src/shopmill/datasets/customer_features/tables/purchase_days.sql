-- One row per customer and day with purchases. Everything but the variety of articles follows from these.
select
  customer_id,
  date_diff('day', t_dat, $as_of) as age_days,
  count(*) as n_lines,
  sum(quantity) as n_units,
  count(*) filter (where sales_channel_id = 1) as n_channel_1,
  count(*) filter (where sales_channel_id = 2) as n_channel_2,
  sum(amount) as spend,
  max(amount) as max_spend
from judged_transactions
where problem is null and customer_id is not null
group by customer_id, t_dat
