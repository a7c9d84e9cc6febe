-- Numbers once given stay; articles new since the previous version follow, in the order in which they first appeared.
with first_seen as (
  select article_id, min(first_interaction_date) as first_date
  from interactions
  group by article_id
),
new as (
  select article_id, first_date
  from first_seen
  where article_id not in (select article_id from previous_article_index)
)
select article_id, article_index
from previous_article_index
union all
select
  article_id,
  (select count(*) from previous_article_index) + row_number() over (order by first_date, article_id) - 1 as article_index
from new
