-- What late events did to sessions that a version had published: how many joined them, and which ids are gone. Ids of
-- users that were not touched are not gone.
with earlier as (
  select *
  from previous_session_history
  where session_day in (select day from session_days)
),
joined as (
  select user_id, event_at as happened_at, change as late_count
  from altered_events
  where change > 0
  union all
  select user_id, started_at, n_late_events
  from earlier
  where n_late_events > 0
),
grown as (
  select session_id, user_id, session_day, started_at, sum(late_count) as n_late_events
  from joined
  join sessions using (user_id)
  where happened_at between started_at and ended_at and session_day in (select day from session_days)
  group by session_id, user_id, session_day, started_at
),
known as (
  select session_id, user_id, session_day, started_at
  from previous_sessions
  where session_day in (select day from session_days)
    and ($since = date '0001-01-01' or user_id in (select user_id from touched_users))
  union
  select session_id, user_id, session_day, started_at
  from earlier
),
gone as (
  select *
  from known
  where session_id not in (select session_id from sessions where session_day in (select day from session_days))
)
select session_id, user_id, session_day, started_at, n_late_events, cast(null as varchar) as superseded_by
from grown
union all
select gone.session_id, gone.user_id, gone.session_day, gone.started_at, 0, heir.session_id
from gone
left join sessions as heir
  on heir.user_id = gone.user_id
  and heir.session_day >= $since - interval 2 days
  and gone.started_at between heir.started_at and heir.ended_at
