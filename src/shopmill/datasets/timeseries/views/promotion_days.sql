-- The days from $since on with a promotion: of one article, or, where it names none, of a product group. What lies before
-- the first sale of all concerns no row.
with day as (
  select
    article_id,
    case when article_id is null then product_group_name end as product_group_name,
    unnest(generate_series(greatest(starts_on, first_day, $since), ends_on, interval 1 day)) as ds
  from promotions
  cross join (select min(first_day) as first_day from hierarchy) as sales
  where ends_on >= greatest(first_day, $since)
)
select distinct article_id, product_group_name, cast(ds as date) as ds, cast(date_trunc('week', ds) as date) as monday
from day
