select count(*) as violations, 'such as of ' || min(churn.label) as detail
from customer_labels as churn
join customer_labels as units on units.customer_id = churn.customer_id and units.horizon_days = churn.horizon_days
where churn.label like 'churn_%' and units.label like 'units_%' and (churn.value = 1) <> (units.value = 0)
