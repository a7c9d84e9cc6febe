select 'articles' as source_table, problem as reason, source_day, source_row
from judged_articles
where problem is not null
