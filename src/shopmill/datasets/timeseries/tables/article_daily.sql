-- Articles by day, with what the calendar says about the day; one is promoted by itself or with its product group.
-- The calendar has every day: the join is a left one because an engine that cannot know that takes it for one which leaves
-- few rows, and then holds all of these in memory to look them up.
select
  features.unique_id,
  features.ds,
  {% for column in measured %}
  {{ column.name }},
  {% endfor %}
  day_of_week,
  month,
  week,
  is_weekend,
  is_holiday,
  by_article.ds is not null or by_group.ds is not null as is_promo
from features
left join calendar on calendar.ds = features.ds
join hierarchy on hierarchy.unique_id = features.unique_id
left join promotion_days as by_article on by_article.article_id = features.unique_id and by_article.ds = features.ds
left join promotion_days as by_group
  on by_group.product_group_name = hierarchy.product_group_name and by_group.ds = features.ds
where level = 'article' and freq = 'D'
