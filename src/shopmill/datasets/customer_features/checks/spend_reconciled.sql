select
  case when published = expected then 0 else 1 end as violations,
  published || ' in features, ' || expected || ' in transactions' as detail
from (
  select
    (select coalesce(sum(spend_sum_lifetime), 0) from features) as published,
    (
      select coalesce(sum(price), 0)
      from transactions
      where price >= 0 and t_dat is not null and customer_id is not null and article_id is not null
    ) as expected
) as sums
