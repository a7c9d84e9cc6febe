-- What was sold from $since on and before $until, at each level (article, category) and frequency (D: day, W: week from Monday).
with sold as (
  select
    lines.article_id,
    hierarchy.category,
    lines.t_dat as ds,
    cast(date_trunc('week', lines.t_dat) as date) as monday,
    lines.quantity,
    lines.amount,
    lines.customer_id
  from judged_transactions as lines
  join hierarchy on hierarchy.unique_id = lines.article_id
  where lines.problem is null and lines.t_dat >= $since and lines.t_dat < $until
)
select
  'article' as level, 'D' as freq, 1 as step_days, article_id as unique_id, ds,
  sum(quantity) as y, sum(amount) as revenue, count(distinct customer_id) as unique_customers, ds as last_sold_on
from sold
group by article_id, ds
union all
select
  'category', 'D', 1, category, ds,
  sum(quantity), sum(amount), count(distinct customer_id), ds
from sold
group by category, ds
union all
select
  'article', 'W', 7, article_id, monday,
  sum(quantity), sum(amount), count(distinct customer_id), max(ds)
from sold
group by article_id, monday
union all
select
  'category', 'W', 7, category, monday,
  sum(quantity), sum(amount), count(distinct customer_id), max(ds)
from sold
group by category, monday
