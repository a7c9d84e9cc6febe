select
  abs(found - expected) as violations,
  found || ' events in sessions or rejected, ' || expected || ' in the source' as detail
from (
  select
    (select coalesce(sum(event_count + bot_event_count), 0) from funnel_daily) + (
      select count(*) from rejects where source_table = 'events' and reason not like '%, taken as unknown'
    ) as found,
    (select row_count from input_rows where table_name = 'events') as expected
) as counts
