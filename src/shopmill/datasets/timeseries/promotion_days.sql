-- The days from $since on that an article was promoted, by itself or with its product group; from its first sale on.
with period as (
  select
    hierarchy.unique_id,
    hierarchy.category,
    greatest(promotions.starts_on, hierarchy.first_day, $since) as first_day,
    promotions.ends_on as last_day
  from promotions
  join hierarchy on hierarchy.unique_id = promotions.article_id
  union all
  select
    hierarchy.unique_id,
    hierarchy.category,
    greatest(promotions.starts_on, hierarchy.first_day, $since),
    promotions.ends_on
  from promotions
  join hierarchy on hierarchy.product_group_name = promotions.product_group_name
  where promotions.article_id is null
),
promoted as (
  select unique_id, category, unnest(generate_series(first_day, last_day, interval 1 day)) as ds
  from period
  where first_day <= last_day
)
select distinct unique_id, category, cast(ds as date) as ds, cast(date_trunc('week', ds) as date) as monday
from promoted
