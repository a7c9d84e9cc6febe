-- How varied a customer's purchases are, and what they buy most.
-- Whatever was last bought within a window was bought in it, so distinct counts are counts of last purchases.
with customer_articles as (
  select customer_id, article_id, count(*) as n_units, min(age_days) as age_days
  from checked_transactions
  where problem is null
  group by customer_id, article_id
),
catalogue as (
  select article_id, min(product_group_name) as product_group_name, min(colour_group_name) as colour_group_name
  from articles
  group by article_id
),
-- In one pass: a row per customer, per customer and group, per customer and colour.
tastes as (
  select
    customer_id,
    case
      when grouping(product_group_name) = 0 then 'group'
      when grouping(colour_group_name) = 0 then 'colour'
      else 'all'
    end as kind,
    coalesce(product_group_name, colour_group_name) as name,
    sum(n_units) as n_units,
    min(age_days) as age_days,
    count(*) filter (where age_days <= 30) as n_articles_30d,
    count(*) filter (where age_days <= 90) as n_articles_90d,
    count(*) filter (where age_days <= 180) as n_articles_180d,
    count(*) filter (where age_days <= 365) as n_articles_365d,
    count(*) as n_articles_lifetime
  from customer_articles
  left join catalogue using (article_id)
  group by grouping sets ((customer_id), (customer_id, product_group_name), (customer_id, colour_group_name))
)
select
  customer_id,
  coalesce(max(n_articles_30d) filter (where kind = 'all'), 0) as articles_distinct_30d,
  coalesce(max(n_articles_90d) filter (where kind = 'all'), 0) as articles_distinct_90d,
  coalesce(max(n_articles_180d) filter (where kind = 'all'), 0) as articles_distinct_180d,
  coalesce(max(n_articles_365d) filter (where kind = 'all'), 0) as articles_distinct_365d,
  coalesce(max(n_articles_lifetime) filter (where kind = 'all'), 0) as articles_distinct_lifetime,
  count(*) filter (where kind = 'group' and age_days <= 30) as groups_distinct_30d,
  count(*) filter (where kind = 'group' and age_days <= 90) as groups_distinct_90d,
  count(*) filter (where kind = 'group' and age_days <= 180) as groups_distinct_180d,
  count(*) filter (where kind = 'group' and age_days <= 365) as groups_distinct_365d,
  count(*) filter (where kind = 'group') as groups_distinct_lifetime,
  -- The favourite has most units; among equals the one bought last, then the first by name.
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'group')).name as favourite_group_lifetime,
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'colour')).name as favourite_colour_lifetime
from everyone
left join (select * from tastes where kind = 'all' or name is not null) as tastes using (customer_id)
group by customer_id
