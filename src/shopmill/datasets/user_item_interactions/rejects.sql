select source_table, problem as reason, source_row
from signals
where problem is not null
