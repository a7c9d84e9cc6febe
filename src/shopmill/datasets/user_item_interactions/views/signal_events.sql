-- What logged-in customers did with an article. Trackers send an event twice now and then: what comes again within 31 days
-- of the one before it does not count. So no more than a month before a day decides what counts on it.
select * exclude days_before
from (
  select
    *,
    date_diff('day', lag(source_day) over (
      partition by event_id, problem is null order by event_datetime, customer_id, article_id, event_type
    ), source_day) as days_before
  from judged_events
  where event_type in ('view', 'click', 'add_to_cart') and customer_id is not null and article_id is not null
) as judged
where problem is not null or days_before is null or days_before > $repeat_days
