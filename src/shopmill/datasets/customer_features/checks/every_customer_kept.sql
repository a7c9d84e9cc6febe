select count(distinct customers.customer_id) as violations
from customers
left join features on features.customer_id = customers.customer_id and is_known
where customers.customer_id is not null and features.customer_id is null
