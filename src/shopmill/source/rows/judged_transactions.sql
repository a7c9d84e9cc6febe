-- The lines of purchase. A line without a customer (a guest) is a sale all the same.
select
  *,
  case
    when t_dat is null then 't_dat is null'
    when article_id is null then 'article_id is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem,
  t_dat as source_day,
  to_json({
    't_dat': cast(t_dat as varchar), 'customer_id': customer_id, 'article_id': article_id,
    'price': cast(price as varchar), 'sales_channel_id': cast(sales_channel_id as varchar)
  }) as source_row
from {{ source }}transactions
