select
  abs(lines - counted) as violations,
  lines || ' lines, ' || counted || ' counted' as detail
from (
  select
    (select count(*) from judged_transactions where problem is null) as lines,
    (select coalesce(sum(line_count), 0) from new_dataset) as counted
) as sums
