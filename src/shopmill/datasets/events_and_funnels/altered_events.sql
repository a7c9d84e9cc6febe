-- Events dated before the version that is continued which it did not have (they came late), or had and which are gone.
select event_id, user_id, event_at, sum(case side when 'added' then 1 else -1 end) as change
from read_events
where side <> 'now' and problem is null
group by event_id, user_id, article_id, event_type, event_value, event_at
having sum(case side when 'added' then 1 else -1 end) <> 0
