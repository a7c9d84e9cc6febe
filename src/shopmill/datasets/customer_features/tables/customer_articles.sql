-- One row per customer and article bought. Whatever was last bought within a window was bought in it.
select customer_id, article_id, sum(quantity) as n_units, date_diff('day', max(t_dat), $as_of) as age_days
from judged_transactions
where problem is null and customer_id is not null
group by customer_id, article_id
