-- Events that are in no session. Those of days before the first changed one are as they were.
-- Those without a time are of no day, and asked for on their own: statistics of files answer that without reading them.
select 'events' as source_table, problem as reason, source_day, source_row
from judged_events
where event_datetime is null
union all
-- Of a row with `unknown` alone the row stays, and a value is lost. Asked of both at once: twice would read every row twice.
select 'events', coalesce(problem, unknown), source_day, source_row
from judged_events
where coalesce(problem, unknown) is not null and source_day >= $changed_since
union all
select 'exchange_rates', problem, source_day, source_row
from judged_exchange_rates
where problem is not null
union all
select
  'events',
  'event_id was sent before',
  cast(event_at at time zone $time_zone as date),
  source_row
from repeated_events
where is_duplicate and cast(event_at at time zone $time_zone as date) >= $changed_since
union all
select source_table, reason, source_day, source_row
from previous_rejects
where source_table = 'events' and source_day < $changed_since
