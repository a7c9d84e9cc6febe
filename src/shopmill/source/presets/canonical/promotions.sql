select
  article_id, product_group_name, starts_on, ends_on, kind
from promotions
