-- One row per customer and article bought. Whatever was last bought within a window was bought in it.
select customer_id, article_id, count(*) as n_units, min(age_days) as age_days
from checked_transactions
where problem is null
group by customer_id, article_id
