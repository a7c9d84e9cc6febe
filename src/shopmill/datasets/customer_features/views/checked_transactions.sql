-- The lines of purchase, each one unit sold. `problem` says why a row cannot be used.
select
  t_dat, customer_id, article_id, price, sales_channel_id,
  date_diff('day', t_dat, $as_of) as age_days,
  case
    when t_dat is null then 't_dat is null'
    when customer_id is null then 'customer_id is null'
    when article_id is null then 'article_id is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem
from transactions
