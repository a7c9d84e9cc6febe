select 'transactions' as source_table, problem as reason, source_day, source_row
from judged_transactions
where problem is not null
union all
select 'reviews', problem, source_day, source_row from judged_reviews where problem is not null
