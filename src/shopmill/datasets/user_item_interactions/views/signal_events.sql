-- What logged-in customers did with an article. Trackers send an event twice now and then: the first one counts.
select *
from judged_events
where event_type in ('view', 'click', 'add_to_cart') and customer_id is not null and article_id is not null
qualify
  problem is not null
  or row_number() over (
    partition by event_id, problem is null order by event_datetime, customer_id, article_id, event_type
  ) = 1
