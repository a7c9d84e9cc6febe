select 'customers' as source_table, problem as reason, source_day, source_row
from judged_customers
where problem is not null and not registers_later
union all
-- The row stays: of it a value alone is lost.
select 'customers', unknown, source_day, source_row
from judged_customers
where problem is null and unknown is not null and not registers_later
union all
select 'articles', problem, source_day, source_row from judged_articles where problem is not null
union all
select 'transactions', problem, source_day, source_row from judged_transactions where problem is not null
union all
select 'transactions', unknown, source_day, source_row
from judged_transactions
where problem is null and unknown is not null
union all
select 'orders', problem, source_day, source_row from judged_orders where problem is not null
union all
select 'order_items', problem, source_day, source_row from judged_order_items where problem is not null
union all
select 'events', problem, source_day, source_row from recent_events where problem is not null
union all
select 'exchange_rates', problem, source_day, source_row from judged_exchange_rates where problem is not null
