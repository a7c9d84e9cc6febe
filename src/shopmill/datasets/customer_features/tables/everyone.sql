-- All customers with a row: those of the customers table, and those who bought or ordered without being in it.
select customer_id, max(known) = 1 as is_known
from (
  select customer_id, 1 as known from judged_customers where problem is null and not registers_later
  union all
  select customer_id, 0 from purchase_days
  union all
  select customer_id, 0 from judged_orders where problem is null and customer_id is not null
)
group by customer_id
