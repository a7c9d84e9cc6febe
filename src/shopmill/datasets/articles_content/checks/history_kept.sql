select count(*) as violations
from previous_articles as old
left join articles as now on now.article_id = old.article_id
where now.article_id is null or now.first_seen <> old.first_seen or now.last_seen < old.last_seen
