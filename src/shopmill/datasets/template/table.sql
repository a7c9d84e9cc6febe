-- The lines of a day that can be used, summed by article.
select
  t_dat as day,
  article_id,
  count(*) as line_count,
  sum(quantity) as unit_count,
  sum(amount) as amount
from judged_transactions
where problem is null
group by t_dat, article_id
