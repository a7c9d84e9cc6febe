-- Which product groups and colours a customer buys, and of which most.
with catalogue as (
  select article_id, product_group_name, colour_group_name
  from judged_articles
  where problem is null
),
tastes as (
  select
    customer_id,
    case when grouping(product_group_name) = 0 then 'group' else 'colour' end as kind,
    coalesce(product_group_name, colour_group_name) as name,
    sum(n_units) as n_units,
    min(age_days) as age_days
  from customer_articles
  join catalogue using (article_id)
  group by grouping sets ((customer_id, product_group_name), (customer_id, colour_group_name))
)
select
  customer_id,
  count(*) filter (where kind = 'group' and age_days <= 30) as groups_distinct_30d,
  count(*) filter (where kind = 'group' and age_days <= 90) as groups_distinct_90d,
  count(*) filter (where kind = 'group' and age_days <= 180) as groups_distinct_180d,
  count(*) filter (where kind = 'group' and age_days <= 365) as groups_distinct_365d,
  count(*) filter (where kind = 'group') as groups_distinct_lifetime,
  -- The favourite has most units; among equals the one bought last, then the first by name.
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'group')).name as favourite_group_lifetime,
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'colour')).name as favourite_colour_lifetime
from everyone
left join (select * from tastes where name is not null) as tastes using (customer_id)
group by customer_id
