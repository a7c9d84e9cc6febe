-- Orders that count as sold, by a word that may mean that they came back and that no setting speaks of.
with doubtful_statuses as (
  select lower(order_status) as word, count(*) as n
  from judged_orders
  where
    problem is null and not is_cancelled and not contains($sold_statuses, '|' || lower(order_status) || '|')
    and (
      false
      {% for part in parts %}
      or contains(lower(order_status), '{{ part }}')
      {% endfor %}
    )
  group by lower(order_status)
)
select
  coalesce(sum(n), 0) as violations,
  'orders count as sold whose status may mean that they came back: '
  || string_agg(word || ' (' || cast(n as varchar) || ')', ', ' order by n desc, word)
  || '. Add the words to SHOPMILL_CANCELLED_STATUSES if they did, wholly, or to SHOPMILL_SOLD_STATUSES' as detail
from doubtful_statuses
