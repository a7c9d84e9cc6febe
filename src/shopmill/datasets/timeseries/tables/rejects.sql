select 'transactions' as source_table, problem as reason, ds as source_day, source_row
from lines
where problem is not null
union all
-- Lines of days that this run did not read again.
select source_table, reason, source_day, source_row
from previous_rejects
where source_table = 'transactions' and source_day < $since
union all
select 'promotions', problem, starts_on, source_row
from promotion_lines
where problem is not null
