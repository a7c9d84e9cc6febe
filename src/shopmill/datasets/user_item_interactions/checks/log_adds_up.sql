-- Of the customers and articles whose first signal is in the months that this run computed, the log has every signal.
with logged as (
  select customer_id, article_id, count(*) as n, coalesce(sum(value), 0) as spend, max(day) as last_day
  from log
  group by customer_id, article_id
)
select count(*) as violations, 'such as of article ' || min(interactions.article_id) as detail
from interactions
left join logged
  on logged.customer_id = interactions.customer_id and logged.article_id = interactions.article_id
where
  first_interaction_date >= $since
  and (
    n is distinct from interaction_count
    or spend is distinct from spend_sum
    or last_day is distinct from last_interaction_date
  )
