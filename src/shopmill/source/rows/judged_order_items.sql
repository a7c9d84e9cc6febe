-- The lines of the orders, dated by their own time or else by their order. A quantity below 0 came back. `price` is what one
-- unit cost and `amount` what the line did, both in the shop's own currency; `ordered_by` is null for a guest.
with orders_of_{{ source }}items as (
  select
    order_id as dated_id,
    source_day as ordered_on,
    order_datetime as ordered_at,
    customer_id as ordered_by,
    upper(currency) as currency,
    is_cancelled
  from judged_orders
  where problem is null
),
-- Only of ids without an order that can be used is asked whether they are in orders at all, and these are few.
flawed_orders_of_{{ source }}items as (
  select distinct order_id as flawed_id
  from judged_orders
  where problem is not null and order_id is not null
),
dated_{{ source }}items as (
  select
    items.*, flawed_id, dated_id, ordered_on, ordered_by, ordered_at, is_cancelled, placed.currency,
    coalesce(cast(item_datetime at time zone $time_zone as date), ordered_on) as item_day
  from {{ source }}order_items as items
  left join orders_of_{{ source }}items as placed on dated_id = order_id
  left join flawed_orders_of_{{ source }}items on flawed_id = order_id
),
converted_{{ source }}items as (
  select
    given.*,
    quantity as units,
    {{ rate_of_day }}
  from dated_{{ source }}items as given
  left join rates_by_day as rates on rates.currency = given.currency and rates.day = item_day
),
multiplied_{{ source }}items as (
  select
    *,
    {{ worth }}
  from converted_{{ source }}items
),
valued_{{ source }}items as (
  select
    *,
    {{ amounts }}
  from multiplied_{{ source }}items
)
select
  order_id,
  article_id,
  quantity,
  own_price as price,
  amount,
  item_datetime,
  changed_at,
  misfits,
  ordered_by,
  coalesce(item_datetime, ordered_at) as happened_at,
  coalesce(is_cancelled, false) as is_cancelled,
  case
    when order_id is null then 'order_id is null'
    when dated_id is null and flawed_id is null then 'its order is not in orders'
    when dated_id is null then 'its order cannot be used'
    when json_extract_string(misfits, '$.item_datetime') is not null
      then 'item_datetime does not fit timestamptz: ' || json_extract_string(misfits, '$.item_datetime')
    when item_day < $first_day then 'item_datetime is before first_day, ' || cast($first_day as varchar)
    when article_id is null then 'article_id is null'
    when quantity is null then
      coalesce('quantity does not fit decimal(18,6): ' || json_extract_string(misfits, '$.quantity'), 'quantity is null')
    when price is null then
      coalesce('price does not fit decimal(18,6): ' || json_extract_string(misfits, '$.price'), 'price is null')
    when price < 0 then 'price is negative'
    when rate_of_day is null then 'no exchange rate for ' || currency || ' at or before its day'
    when own_price is null or amount is null then 'price times quantity is 1000000000000 or more'
    when abs(quantity) >= 1000000000 then 'quantity is beyond 1000000000' -- sums of days and their squares are exact decimals
  end as problem,
  item_day as source_day,
  to_json({
    'order_id': order_id, 'article_id': article_id,
    'quantity': coalesce(cast(quantity as varchar), json_extract_string(misfits, '$.quantity')),
    'price': coalesce(cast(price as varchar), json_extract_string(misfits, '$.price')),
    'item_datetime': coalesce(cast(epoch_us(item_datetime) as varchar), json_extract_string(misfits, '$.item_datetime'))
  }) as source_row
from valued_{{ source }}items
