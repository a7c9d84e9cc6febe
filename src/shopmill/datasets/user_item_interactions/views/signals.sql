-- Every sign of interest of a known customer in an article, one row each, from the three places where a shop keeps them.
-- `problem` says why a row cannot be used; rows without one are counted.
with events_once as (
  -- Trackers send an event twice now and then: the first one counts.
  select *
  from events
  where event_type in ('view', 'click', 'add_to_cart') and customer_id is not null and article_id is not null
  qualify event_id is null or row_number() over (partition by event_id order by event_datetime, customer_id, article_id, event_type) = 1
),
orders_once as (
  select order_id, min(customer_id) as customer_id, min(order_datetime) as order_datetime, min(order_status) as order_status
  from orders
  group by order_id
)
select
  'transactions' as source_table,
  'purchase' as signal,
  customer_id,
  article_id,
  t_dat as day,
  price as spend,
  case
    when t_dat is null then 't_dat is null'
    when customer_id is null then 'customer_id is null'
    when article_id is null then 'article_id is null'
    when price is null then 'price is null'
    when price < 0 then 'price is negative'
  end as problem,
  to_json({
    't_dat': cast(t_dat as varchar), 'customer_id': customer_id, 'article_id': article_id,
    'price': cast(price as varchar), 'sales_channel_id': cast(sales_channel_id as varchar)
  }) as source_row
from transactions
union all
select
  'events',
  case event_type when 'add_to_cart' then 'cart' else event_type end,
  customer_id,
  article_id,
  cast(event_datetime at time zone $time_zone as date),
  cast(0 as decimal(18, 6)),
  case
    when event_datetime is null then 'event_datetime is null'
    when event_id is null then 'event_id is null'
  end,
  to_json({
    'event_id': event_id, 'event_type': event_type, 'customer_id': customer_id, 'article_id': article_id,
    'event_datetime': cast(epoch_us(event_datetime) as varchar)
  })
from events_once
union all
select
  'order_items',
  'return',
  customer_id,
  article_id,
  cast(order_datetime at time zone $time_zone as date),
  cast(0 as decimal(18, 6)),
  case
    when order_datetime is null then 'order_datetime is null'
    when customer_id is null then 'customer_id of the order is null'
    when article_id is null then 'article_id is null'
  end,
  to_json({
    'order_id': order_id, 'article_id': article_id, 'quantity': cast(quantity as varchar), 'price': cast(price as varchar)
  })
from order_items
join orders_once using (order_id)
where quantity < 0 or order_status = 'cancelled'
