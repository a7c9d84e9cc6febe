-- Orders that count as sold, by a word that may mean that they came back and that no setting speaks of. There are many
-- orders and few words: each is looked at once, as the largest of its group (an engine looks at a group's key row by row).
with sold_statuses as (
  select max(lower(order_status)) as word, count(*) as n
  from judged_orders
  where problem is null and not is_cancelled
  group by lower(order_status)
),
doubtful_statuses as (
  select word, n
  from sold_statuses
  where
    not contains($sold_statuses, '|' || word || '|')
    and (
      false
      {% for part in parts %}
      or contains(word, '{{ part }}')
      {% endfor %}
    )
)
select
  coalesce(sum(n), 0) as violations,
  'orders count as sold whose status may mean that they came back: '
  || string_agg(word || ' (' || cast(n as varchar) || ')', ', ' order by n desc, word)
  || '. Add the words to SHOPMILL_CANCELLED_STATUSES if they did, wholly, or to SHOPMILL_SOLD_STATUSES' as detail
from doubtful_statuses
