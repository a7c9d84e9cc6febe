-- Events dated before the version that is continued which it did not have (they came late), or had and which are gone.
select event_id, user_id, event_at, sum(change) as change
from read_events
where side = 'altered'
group by event_id, user_id, article_id, event_type, event_value, event_at
having sum(change) <> 0
