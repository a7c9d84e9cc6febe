-- The lines of purchase. A line without a customer (a guest's) is a sale all the same. `price` is what one unit cost and
-- `amount` what the line did, both in the shop's own currency; a line without a quantity is one unit.
with converted_{{ source }}lines as (
  select
    given.*,
    case when json_extract_string(misfits, '$.quantity') is null then coalesce(quantity, 1) end as units,
    {{ rate_of_day }}
  from {{ source }}transactions as given
  left join rates_by_day as rates on rates.currency = upper(given.currency) and rates.day = given.t_dat
),
multiplied_{{ source }}lines as (
  select
    *,
    {{ worth }}
  from converted_{{ source }}lines
),
valued_{{ source }}lines as (
  select
    *,
    {{ amounts }}
  from multiplied_{{ source }}lines
)
select
  t_dat,
  customer_id,
  article_id,
  own_price as price,
  units as quantity,
  amount,
  currency,
  sales_channel_id,
  changed_at,
  misfits,
  case
    when t_dat is null then coalesce('t_dat does not fit date: ' || json_extract_string(misfits, '$.t_dat'), 't_dat is null')
    when t_dat < $first_day then 't_dat is before first_day, ' || cast($first_day as varchar)
    when t_dat < $first_sale
      then 't_dat is long before all other sales, which begin on ' || cast($first_sale as varchar)
    when article_id is null then 'article_id is null'
    when price is null then
      coalesce('price does not fit decimal(18,6): ' || json_extract_string(misfits, '$.price'), 'price is null')
    when price < 0 then 'price is negative'
    when units is null then 'quantity does not fit decimal(18,6): ' || json_extract_string(misfits, '$.quantity')
    when units <= 0 then 'quantity is not above 0: what came back belongs into order_items, with a quantity below 0'
    when rate_of_day is null then 'no exchange rate for ' || upper(currency) || ' at or before its day'
    when own_price is null or amount is null then 'price times quantity is 1000000000000 or more'
    when units >= 1000000000 then 'quantity is beyond 1000000000' -- sums of days and their squares are exact decimals
  end as problem,
  case
    when json_extract_string(misfits, '$.sales_channel_id') is not null
      then 'sales_channel_id does not fit integer: ' || json_extract_string(misfits, '$.sales_channel_id') || ', taken as unknown'
  end as unknown,
  t_dat as source_day,
  to_json({
    't_dat': coalesce(cast(t_dat as varchar), json_extract_string(misfits, '$.t_dat')),
    'customer_id': customer_id, 'article_id': article_id,
    'price': coalesce(cast(price as varchar), json_extract_string(misfits, '$.price')),
    'quantity': coalesce(cast(units as varchar), json_extract_string(misfits, '$.quantity')),
    'currency': currency,
    'sales_channel_id': coalesce(cast(sales_channel_id as varchar), json_extract_string(misfits, '$.sales_channel_id'))
  }) as source_row
from valued_{{ source }}lines
