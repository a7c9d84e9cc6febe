-- What late events did to sessions that a version had published: how many joined them, and which ids no longer exist. Ids of
-- visitors that were not touched still do. The days are those from $since on, which is said beside them: files of days before
-- are then not opened.
with earlier as (
  select session_id, user_id, visitor_key, session_day, started_at, n_late_events
  from previous_session_history
  where session_day in (select day from session_days)
),
known as (
  select session_id, user_id, visitor_key, session_day, started_at
  from previous_sessions
  where session_day >= $since
    and session_day in (select day from session_days)
    and ($is_full or visitor_key in (select visitor_key from touched_visitors))
  union
  select session_id, user_id, visitor_key, session_day, started_at
  from earlier
),
lost as (
  select *
  from known
  where session_id not in (
    select session_id
    from sessions
    where session_day >= $since and session_day in (select day from session_days)
  )
),
-- The session that now holds the start of one that no longer exists or that had late events: itself where it is there.
moved as (
  select
    former.session_id as former_id, former.session_day as former_day, former.n_late_events,
    heir.session_id, heir.user_id, heir.visitor_key, heir.session_day, heir.started_at
  from (
    select session_id, visitor_key, session_day, started_at, n_late_events from earlier where n_late_events > 0
    union all
    select session_id, visitor_key, session_day, started_at, 0 from lost
  ) as former
  join sessions as heir
    on heir.visitor_key = former.visitor_key
    and heir.session_day >= $since - interval 1 day * $reach_days
    and former.started_at between heir.started_at and heir.ended_at
  qualify
    row_number() over (
      partition by former.session_id, former.session_day, former.n_late_events
      order by case when heir.session_id = former.session_id then 0 else 1 end, heir.started_at desc, heir.session_id
    ) = 1
),
grown as (
  select session_id, session_day, sum(late_count) as n_late_events
  from (
    select computed_sessions.session_id, computed_sessions.session_day, 1 as late_count
    from late_events
    join session_events using (event_id, visitor_key, event_at)
    join computed_sessions using (visitor_key, visit_number, part_number)
    union all
    select session_id, session_day, n_late_events
    from moved
    where n_late_events > 0 and session_day in (select day from session_days)
  ) as counted
  group by session_id, session_day
)
select session_id, user_id, visitor_key, session_day, started_at, n_late_events, cast(null as varchar) as superseded_by
from grown
join sessions using (session_id, session_day)
union all
select lost.session_id, lost.user_id, lost.visitor_key, lost.session_day, lost.started_at, 0, moved.session_id
from lost
left join moved
  on moved.former_id = lost.session_id and moved.former_day = lost.session_day and moved.n_late_events = 0
