-- Every article that was ever sold, the category it counts in, and the day its series begins.
with first_sale as (
  select article_id, t_dat as first_day
  from judged_transactions
  where problem is null
  union all
  select unique_id, first_day
  from previous_hierarchy
  where first_day < $since
)
select
  first_sale.article_id as unique_id,
  coalesce(min(catalogue.category), 'unknown') as category,
  min(catalogue.product_group_name) as product_group_name,
  min(first_sale.first_day) as first_day
from first_sale
left join catalogue on catalogue.article_id = first_sale.article_id
group by first_sale.article_id
