select cast(null as varchar) as kind, count(*) as row_count
from features
where is_known
union all
select 'registered_later', count(*)
from judged_customers
where registers_later
