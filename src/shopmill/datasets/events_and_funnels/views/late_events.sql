-- Events that joined sessions after a version of a later as_of: kept ones of ids that it did not have within duplicate_hours.
-- An event that was sent again, or came back with another value, is not late.
with came as (
  select event_id, visitor_key, event_at, sum(change) as n_came
  from altered_events
  where change > 0
  group by event_id, visitor_key, event_at
),
had as (
  select event_id as had_id, event_at as had_at
  from altered_events
  where change < 0
  union all
  select event_id, event_at
  from (
    select event_id, visitor_key, event_at, count(*) as n_now
    from repeated_events
    group by event_id, visitor_key, event_at
  ) as now
  left join came using (event_id, visitor_key, event_at)
  where n_now > coalesce(n_came, 0)
)
select came.event_id, came.visitor_key, came.event_at
from came
where not exists (
  select 1
  from had
  where had_id = came.event_id and abs(epoch_us(had_at) - epoch_us(came.event_at)) <= $duplicate_hours * 3600000000
)
