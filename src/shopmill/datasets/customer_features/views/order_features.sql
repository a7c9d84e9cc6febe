-- Orders placed and what came back. An order that was cancelled, or that has nothing but returned lines, is not an order.
with placed_orders as (
  select order_id, customer_id, is_cancelled, date_diff('day', source_day, $as_of) as age_days
  from judged_orders
  where problem is null and customer_id is not null
),
returned_of_orders as (
  select order_id, sum(returned_units) as n_returned
  from returned_items
  group by order_id
),
-- Summed per order before the join: there are far fewer orders than lines.
items_of_orders as (
  select
    order_id,
    sum(quantity) filter (where quantity > 0) as n_ordered,
    sum(amount) filter (where quantity > 0) as order_value,
    count(*) filter (where quantity >= 0) as n_kept
  from judged_order_items
  where problem is null
  group by order_id
),
baskets as (
  select
    placed.order_id,
    customer_id,
    age_days,
    coalesce(n_ordered, 0) as n_ordered,
    coalesce(order_value, 0) as order_value,
    not is_cancelled and (n_kept is null or n_kept > 0) as is_order
  from placed_orders as placed
  left join items_of_orders on items_of_orders.order_id = placed.order_id
),
order_sums as (
  select
    customer_id,
    count(*) filter (where is_order) as n_orders,
    sum(n_ordered) filter (where is_order) as n_units,
    sum(order_value) filter (where is_order) as total_value,
    max(order_value) filter (where is_order) as max_value,
    max(age_days) filter (where is_order) as days_since_first,
    min(age_days) filter (where is_order) as days_since_last,
    sum(n_ordered) as n_ordered,
    coalesce(sum(n_returned), 0) as n_returned
  from everyone
  left join baskets using (customer_id)
  left join returned_of_orders on returned_of_orders.order_id = baskets.order_id
  group by customer_id
)
select
  customer_id,
  n_orders as orders_count_lifetime,
  cast(n_units as double) / nullif(cast(n_orders as double), 0) as basket_size_avg_lifetime,
  cast(total_value as double) / nullif(cast(n_orders as double), 0) as order_value_avg_lifetime,
  max_value as order_value_max_lifetime,
  cast(n_returned as double) / nullif(cast(n_ordered as double), 0) as return_rate_lifetime,
  days_since_first as days_since_first_order,
  days_since_last as days_since_last_order,
  cast(days_since_first - days_since_last as double) / nullif(cast(n_orders - 1 as double), 0) as days_between_orders_avg_lifetime
from order_sums
