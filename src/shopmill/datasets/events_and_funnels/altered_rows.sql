-- Their difference. Rows are counted where a second has not as many as it had, or others by the sum of their hashes; that
-- two different ones have the same number of rows and the same sum is one in 10^12.
with altered_seconds as (
  select second as altered_second
  from both_versions
  group by second
  having sum(one) <> 0
    or sum(one * cast(
      hash(event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime) >> 24 as bigint
    )) <> 0
)
select event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime, sum(one) as change
from both_versions
where second in (select altered_second from altered_seconds)
group by event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime
having sum(one) <> 0
