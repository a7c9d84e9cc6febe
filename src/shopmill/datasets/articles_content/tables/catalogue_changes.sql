-- What is different from the previous version. Articles never leave the table `articles`, so each change is in it.
with compared as (
  select
    now.article_id,
    old.article_id is null as is_new,
    now.is_active,
    coalesce(old.is_active, false) as was_active,
    case when old.article_id is null then '' else concat_ws(
      ',',
      null
      {% for column in compared_columns %}
      , case when now.{{ column.name }} is distinct from old.{{ column.name }} then '{{ column.name }}' end
      {% endfor %}
    ) end as changed_fields,
    -- The text that is embedded is that of active articles: it changed where it came, went, or is another.
    case when now.is_active then now.content_hash end is distinct from case when old.is_active then old.content_hash end
      as text_changed
  from articles as now
  left join previous_articles as old on old.article_id = now.article_id
)
select
  article_id,
  case
    when is_new then 'added'
    when is_active and not was_active then 'returned'
    when was_active and not is_active then 'removed'
    else 'changed'
  end as change,
  changed_fields,
  text_changed
from compared
where is_new or is_active <> was_active or changed_fields <> '' or text_changed
