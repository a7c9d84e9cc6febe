with kinds_of_events as (
  select
    count(*) as n_events,
    case
      when customer_id is null then 'without_a_customer'
      when age_days is not null{% for w in event_windows %} and not ({{ w.holds }}){% endfor %} then 'before_the_window'
      when problem is null then 'recent'
    end as kind
  from (select *, date_diff('day', source_day, $as_of) as age_days from judged_events) as aged_events
  group by kind
),
used_events as (
  select count(*) as n_used
  from recent_events
  where problem is null
)
select cast(null as varchar) as kind, n_used as row_count
from used_events
union all
select kind, n_events
from kinds_of_events
where kind <> 'recent'
union all
select 'sent_again', coalesce((select n_events from kinds_of_events where kind = 'recent'), 0) - n_used
from used_events
