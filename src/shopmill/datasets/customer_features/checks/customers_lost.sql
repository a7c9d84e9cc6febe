select
  case when n_lost > $max_customer_loss * n_before then n_lost else 0 end as violations,
  n_lost || ' of ' || n_before || ' customers of the previous version are missing' as detail
from (
  select count(*) as n_before, count(*) filter (where new.customer_id is null) as n_lost
  from previous_features as old
  left join features as new on new.customer_id = old.customer_id
) as counts
