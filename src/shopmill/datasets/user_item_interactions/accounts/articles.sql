-- The catalogue is looked at only to find articles that it lacks.
select 'looked_up' as kind, count(*) as row_count
from judged_articles
