-- Where the catalogue puts each article today.
select
  article_id,
  nullif(index_group_name, '') as category,
  nullif(product_group_name, '') as product_group_name
from judged_articles
where problem is null
