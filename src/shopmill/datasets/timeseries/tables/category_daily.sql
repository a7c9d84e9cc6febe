-- Categories by day; one is promoted when any of its articles is.
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
  promoted.unique_id is not null as is_promo
from features
left join calendar on calendar.ds = features.ds
left join promoted_categories as promoted on promoted.unique_id = features.unique_id and promoted.ds = features.ds
where level = 'category' and freq = 'D'
