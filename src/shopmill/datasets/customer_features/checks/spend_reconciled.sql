select
  case when published = expected then 0 else 1 end as violations,
  published || ' in features, ' || expected || ' in transactions' as detail
from (
  select
    (select coalesce(sum(spend_sum_lifetime), 0) from features) as published,
    (
      select coalesce(sum(amount), 0)
      from judged_transactions
      where problem is null and customer_id is not null
    ) as expected
) as sums
