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
  {% for w in windows %}
  count(*) filter (where kind = 'group' and {{ w.holds }}) as groups_distinct_{{ w.name }},
  {% endfor %}
  -- The favourite has most units; among equals the one bought last, then the first by name.
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'group')).name as favourite_group_lifetime,
  (min({'units': -n_units, 'age_days': age_days, 'name': name}) filter (where kind = 'colour')).name as favourite_colour_lifetime
from everyone
left join (select * from tastes where name is not null) as tastes using (customer_id)
group by customer_id
