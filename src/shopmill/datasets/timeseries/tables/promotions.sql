select distinct article_id, product_group_name, starts_on, ends_on, kind
from promotion_lines
where problem is null
