-- Where the catalogue puts each article today.
select
  article_id,
  min(nullif(index_group_name, '')) as category,
  min(nullif(product_group_name, '')) as product_group_name
from articles
where article_id is not null
group by article_id
