select case when customer_id is null then 'guest_orders' end as kind, count(*) as row_count
from judged_orders
where problem is null
group by case when customer_id is null then 'guest_orders' end
