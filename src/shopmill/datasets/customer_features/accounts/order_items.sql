select case when ordered_by is null then 'of_guests' end as kind, count(*) as row_count
from judged_order_items
where problem is null
group by case when ordered_by is null then 'of_guests' end
