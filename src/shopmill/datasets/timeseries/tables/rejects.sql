select 'transactions' as source_table, problem as reason, source_day, source_row
from judged_transactions
where problem is not null
union all
-- Lines of days that this run did not read again.
select source_table, reason, source_day, source_row
from previous_rejects
where source_table = 'transactions' and source_day < $since
union all
select 'articles', problem, source_day, source_row from judged_articles where problem is not null
union all
select 'promotions', problem, source_day, source_row from begun_promotions where problem is not null
union all
select 'exchange_rates', problem, source_day, source_row from judged_exchange_rates where problem is not null
