-- Every sign of interest of a known customer in an article, one row each, from the three places where a shop keeps them.
select
  'purchase' as signal, customer_id, article_id, source_day as day, cast(null as timestamptz) as happened_at,
  price as spend, cast(null as varchar) as session_id
from judged_customer_transactions
where problem is null
union all
select
  case event_type when 'add_to_cart' then 'cart' else event_type end,
  customer_id, article_id, source_day, event_datetime, cast(0 as decimal(18, 6)), session_id
from signal_events
where problem is null
union all
select 'return', customer_id, article_id, items.source_day, order_datetime, cast(0 as decimal(18, 6)), cast(null as varchar)
from judged_order_items as items
join judged_orders as placed on placed.order_id = items.order_id and placed.problem is null
where items.problem is null and (quantity < 0 or order_status = 'cancelled')
