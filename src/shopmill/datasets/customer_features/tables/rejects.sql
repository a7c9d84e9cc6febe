-- Of a row with `unknown` alone the row stays, and a value is lost. Asked of both at once: twice would write down every row.
select 'customers' as source_table, coalesce(problem, unknown) as reason, source_day, source_row
from judged_customers
where coalesce(problem, unknown) is not null and not registers_later
union all
select 'articles', problem, source_day, source_row from judged_articles where problem is not null
union all
select 'transactions', coalesce(problem, unknown), source_day, source_row
from judged_transactions
where coalesce(problem, unknown) is not null
union all
select 'orders', problem, source_day, source_row from judged_orders where problem is not null
union all
select 'order_items', problem, source_day, source_row from judged_order_items where problem is not null
union all
select 'events', problem, source_day, source_row from recent_events where problem is not null
union all
select 'exchange_rates', problem, source_day, source_row from judged_exchange_rates where problem is not null
