-- Every sign of interest of a known customer in an article, one row each, from the three places where a shop keeps them.
select
  'purchase' as signal, customer_id, article_id, source_day as day, cast(null as timestamptz) as happened_at,
  quantity as units, amount as value, cast(null as varchar) as session_id
from judged_transactions
where problem is null and customer_id is not null
union all
select
  case event_type when 'add_to_cart' then 'cart' else event_type end,
  customer_id, article_id, source_day, event_datetime, cast(1 as decimal(18, 6)), cast(null as decimal(18, 6)), session_id
from signal_events
where problem is null
union all
select
  'return', ordered_by, article_id, source_day, happened_at, returned_units, cast(null as decimal(18, 6)),
  cast(null as varchar)
from returned_items
where ordered_by is not null and returned_units > 0
