-- Articles by week; one is promoted when it was, from its first sale on, on any of its days before as_of.
with last_promoted as (
  select article_id, product_group_name, monday as ds, max(ds) as last_day
  from promotion_days
  group by article_id, product_group_name, monday
)
select
  features.unique_id,
  features.ds,
  {% for column in measured %}
  {{ column.name }},
  {% endfor %}
  month,
  week,
  is_holiday,
  coalesce(by_article.last_day >= first_day, false) or coalesce(by_group.last_day >= first_day, false) as is_promo,
  features.ds + 7 <= $as_of as is_complete
from features
left join calendar_weeks on calendar_weeks.ds = features.ds
join hierarchy on hierarchy.unique_id = features.unique_id
left join last_promoted as by_article on by_article.article_id = features.unique_id and by_article.ds = features.ds
left join last_promoted as by_group
  on by_group.product_group_name = hierarchy.product_group_name and by_group.ds = features.ds
where level = 'article' and freq = 'W'
