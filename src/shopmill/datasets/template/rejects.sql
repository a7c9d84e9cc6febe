select 'transactions' as source_table, problem as reason, source_day, source_row
from judged_transactions
where problem is not null
union all
select 'exchange_rates', problem, source_day, source_row
from judged_exchange_rates
where problem is not null
