-- The usable events that are read, with whom each is followed as (`visitor_key`), and the place of its type among events
-- of one instant.
-- `side` says which: 'now' as they are, 'altered' those dated before the version that is continued which it did not have
-- (change 1) or which are no longer there (change -1). What is so long before the first changed day that it can have no part in a
-- session or a duplicate that changed is left out.
select
  side,
  change,
  event_id,
  case
    when $stitching = 'none' and customer_id is not null then 'customer:' || customer_id
    when $stitching <> 'none' and visitor_id is not null then 'visitor_id:' || visitor_id
    when session_id is not null then 'visitor:' || session_id
    when visitor_id is not null then 'visitor_id:' || visitor_id
    else 'customer:' || customer_id
  end as visitor_key,
  customer_id,
  article_id,
  coalesce(event_type, 'none') as event_type,
  case event_type
    {% for step in ordered_types %}
    when '{{ step.name }}' then {{ step.place }}
    {% endfor %}
    else 7
  end as type_order,
  event_value,
  user_agent,
  event_datetime as event_at,
  source_row
from (
  select
    'now' as side, 1 as change,
    event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime, source_row
  from judged_events
  where problem is null
    and event_datetime >= cast($changed_since as timestamp) at time zone $time_zone - interval 1 hour * $event_reach_hours
  union all
  select
    'altered', change,
    event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime, null
  from altered_rows
) as sides
