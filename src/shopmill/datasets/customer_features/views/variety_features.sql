-- How many different articles a customer bought in each window.
select
  customer_id,
  count(*) filter (where age_days <= 30) as articles_distinct_30d,
  count(*) filter (where age_days <= 90) as articles_distinct_90d,
  count(*) filter (where age_days <= 180) as articles_distinct_180d,
  count(*) filter (where age_days <= 365) as articles_distinct_365d,
  count(age_days) as articles_distinct_lifetime
from everyone
left join customer_articles using (customer_id)
group by customer_id
