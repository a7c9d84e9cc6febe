-- Usable rows of days that changed, dated before the version that is continued, which it did not have (change 1 or more) or had
-- more often (-1 or less). Rows are compared one by one only in seconds that have another number of them than they had, or
-- others by the sum of their hashes: that other rows have the same sum happens to one second in 10^12.
with altered_seconds as (
  select second
  from (
    select
      epoch_us(event_datetime) // 1000000 as second,
      1 as one,
      hash(
        event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime
      ) >> 24 as row_hash
    from judged_changed_events
    where problem is null and event_datetime < $continued_at
    union all
    select
      epoch_us(event_datetime) // 1000000,
      -1,
      hash(
        event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime
      ) >> 24
    from judged_former_events
    where problem is null and event_datetime < $continued_at
  ) as hashed
  group by second
  having sum(one) <> 0 or sum(one * cast(row_hash as bigint)) <> 0
)
select
  event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime,
  sum(one) as change
from (
  select *, 1 as one
  from judged_changed_events
  where problem is null
    and event_datetime < $continued_at
    and epoch_us(event_datetime) // 1000000 in (select second from altered_seconds)
  union all
  select *, -1
  from judged_former_events
  where problem is null
    and event_datetime < $continued_at
    and epoch_us(event_datetime) // 1000000 in (select second from altered_seconds)
) as suspects
group by event_id, session_id, customer_id, visitor_id, article_id, event_type, event_value, user_agent, event_datetime
having sum(one) <> 0
