-- Categories by week; one is promoted when any of its articles was on any day before as_of.
select
  features.unique_id,
  features.ds,
  {% for column in measured %}
  {{ column.name }},
  {% endfor %}
  month,
  week,
  is_holiday,
  promoted.unique_id is not null as is_promo,
  features.ds + 7 <= $as_of as is_complete
from features
left join calendar_weeks on calendar_weeks.ds = features.ds
left join (
  select distinct unique_id, monday as ds
  from promoted_categories
) as promoted on promoted.unique_id = features.unique_id and promoted.ds = features.ds
where level = 'category' and freq = 'W'
