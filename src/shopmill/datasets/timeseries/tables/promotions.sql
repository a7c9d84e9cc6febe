select distinct article_id, product_group_name, starts_on, ends_on, kind
from begun_promotions
where problem is null
