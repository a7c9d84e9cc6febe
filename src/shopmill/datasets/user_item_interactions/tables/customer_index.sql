-- Numbers once given stay; customers new since the previous version follow, in the order in which they first appeared.
with first_seen as (
  select customer_id, min(first_interaction_date) as first_date
  from interactions
  group by customer_id
),
new as (
  select customer_id, first_date
  from first_seen
  where customer_id not in (select customer_id from previous_customer_index)
)
select customer_id, customer_index
from previous_customer_index
union all
select
  customer_id,
  (select count(*) from previous_customer_index) + row_number() over (order by first_date, customer_id) - 1 as customer_index
from new
