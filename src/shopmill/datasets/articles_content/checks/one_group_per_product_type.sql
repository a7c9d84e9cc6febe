with types as (
  select distinct coalesce(cast(product_type_no as varchar), product_type_name) as type, product_group_name
  from articles
  where is_active
),
ambiguous as (
  select type
  from types
  where type is not null
  group by type
  having count(*) > 1 or count(product_group_name) = 0
)
select
  count(*) as violations,
  count(*) || ' product types have several groups or none, such as ' || min(type) as detail
from ambiguous
