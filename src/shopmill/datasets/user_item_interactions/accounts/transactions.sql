select cast(null as varchar) as kind, coalesce(sum(purchase_count), 0) as row_count
from interactions
union all
select 'guest_lines', count(*)
from judged_transactions
where problem is null and customer_id is null
