select cast(null as varchar) as kind, count(*) as row_count
from begun_promotions
where problem is null
union all
select 'planned', (select row_count from input_rows where table_name = 'promotions') - (select count(*) from begun_promotions)
