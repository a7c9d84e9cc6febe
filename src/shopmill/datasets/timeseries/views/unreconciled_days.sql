-- Days whose transaction lines in the source are not all in the series or rejected. Days before $since were reconciled by
-- the version that they were taken over from.
with accounted as (
  select cast(ds as varchar) as day, y as n
  from category_daily
  union all
  select coalesce(cast(source_day as varchar), 'undated'), 1
  from rejects
  where source_table = 'transactions' and (source_day is null or source_day >= $since)
),
counted as (
  select day, sum(n) as n
  from accounted
  group by day
  having sum(n) > 0
),
read as (
  select day, row_count as n
  from input_days
  where table_name = 'transactions' and (day = 'undated' or day >= cast($since as varchar)) and row_count > 0
)
select day, coalesce(counted.n, 0) as counted, coalesce(read.n, 0) as in_the_source
from counted
full join read using (day)
where counted.n is distinct from read.n
