with kinds_of_items as (
  select
    case
      when ordered_by is null then 'of_guests'
      when quantity >= 0 and not is_cancelled then 'not_returned'
    end as kind
  from judged_order_items
  where problem is null
)
select kind, count(*) as row_count
from kinds_of_items
group by kind
