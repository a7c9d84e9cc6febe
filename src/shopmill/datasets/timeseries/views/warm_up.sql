-- The rows before $since that lags and windows look back at; a run that builds everything has none.
select 'article' as level, 'D' as freq, unique_id, ds, y
from previous_article_daily
union all
select 'category', 'D', unique_id, ds, y
from previous_category_daily
union all
select 'article', 'W', unique_id, ds, y
from previous_article_weekly
union all
select 'category', 'W', unique_id, ds, y
from previous_category_weekly
