-- The lines that came back, with the units that did: those of a quantity below 0, and all those of cancelled orders. What a
-- cancelled order says twice, in its status and as a negative line of the same article, came back once.
select
  *,
  case
    when quantity > 0 then quantity
    when is_cancelled and max(quantity) over (partition by order_id, article_id order by source_day) > 0 then 0
    else -quantity
  end as returned_units
from judged_order_items
where problem is null and (quantity < 0 or is_cancelled)
