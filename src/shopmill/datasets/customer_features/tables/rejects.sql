select 'customers' as source_table, problem as reason, source_day, source_row
from judged_customers
where problem is not null
union all
-- The customer stays.
select 'customers', 'age is outside 0..120, taken as unknown', source_day, source_row
from judged_customers
where problem is null and age not between 0 and 120
union all
select 'articles', problem, source_day, source_row from judged_articles where problem is not null
union all
select 'transactions', problem, source_day, source_row from judged_customer_transactions where problem is not null
union all
select 'orders', problem, source_day, source_row from judged_orders where problem is not null
union all
select 'order_items', problem, source_day, source_row from judged_order_items where problem is not null
union all
select 'events', problem, source_day, source_row from recent_events where problem is not null
