select source_table, problem as reason, day as source_day, source_row
from signals
where problem is not null
