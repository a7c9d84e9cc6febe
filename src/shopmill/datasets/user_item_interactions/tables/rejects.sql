select 'transactions' as source_table, problem as reason, source_day, source_row
from judged_transactions
where problem is not null
union all
select 'events', problem, source_day, source_row
from judged_events
where
  problem is not null
  and event_type in ('view', 'click', 'add_to_cart') and customer_id is not null and article_id is not null
union all
select 'orders', problem, source_day, source_row from judged_orders where problem is not null
union all
select 'order_items', problem, source_day, source_row from judged_order_items where problem is not null
union all
select 'exchange_rates', problem, source_day, source_row from judged_exchange_rates where problem is not null
