select 'articles' as source_table, problem as reason, source_day, source_row
from judged_articles
where problem is not null
union all
-- The row stays: of it a value alone is lost.
select 'articles', unknown, source_day, source_row
from judged_articles
where problem is null and unknown is not null
