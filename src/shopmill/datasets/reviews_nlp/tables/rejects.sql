select 'reviews' as source_table, problem as reason, source_day, source_row
from categorised_reviews
where problem is not null
union all
select 'articles', problem, source_day, source_row from judged_articles where problem is not null
