-- Events dated before the previous version which it did not have (they came late), or had and which are no longer there.
select event_id, visitor_key, event_at, type_order, sum(change) as change
from read_events
where side = 'altered'
group by event_id, visitor_key, customer_id, article_id, event_type, type_order, event_value, user_agent, event_at
having sum(change) <> 0
