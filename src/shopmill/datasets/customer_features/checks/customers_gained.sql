select
  case when n_before > 0 and n_gained > $max_customer_gain * n_before then n_gained else 0 end as violations,
  n_gained || ' customers are new, ' || n_before || ' were in the previous version' as detail
from (
  select
    (select count(*) from previous_features) as n_before,
    count(*) filter (where old.customer_id is null) as n_gained
  from features as new
  left join previous_features as old on old.customer_id = new.customer_id
) as counts
