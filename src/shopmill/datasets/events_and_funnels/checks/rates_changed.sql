with now_known as (
  select currency, day, rate
  from judged_exchange_rates
  where problem is null and day <= cast($continued_at at time zone $time_zone as date)
)
select count(*) as violations
from (
  (select currency, day, rate from previous_rates except select currency, day, rate from now_known)
  union all
  (select currency, day, rate from now_known except select currency, day, rate from previous_rates)
) as changed
