-- Every article that the shop lists or ever listed, with what it said of it last. An article whose only rows cannot be
-- used is still listed: it stays as the previous version had it.
with usable as (
  select * from judged_articles where problem is null
),
listed as (
  select distinct article_id from source_articles where article_id is not null
)
select
  {% for column in shop_columns %}
  usable.{{ column.name }},
  {% endfor %}
  coalesce(old.first_seen, $as_of) as first_seen,
  $as_of as last_seen,
  true as is_active
from usable
left join previous_articles as old on old.article_id = usable.article_id
union all
select
  {% for column in shop_columns %}
  old.{{ column.name }},
  {% endfor %}
  old.first_seen,
  case when listed.article_id is null then old.last_seen else $as_of end,
  listed.article_id is not null
from previous_articles as old
left join listed on listed.article_id = old.article_id
left join usable on usable.article_id = old.article_id
where usable.article_id is null
