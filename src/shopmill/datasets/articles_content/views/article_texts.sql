-- The text of each article: what is said of it in the columns that `content_columns` names, in their order. Space of any kind
-- becomes one blank; what is null or blank is left out.
with parts as (
  select
    article_id,
    place,
    trim(regexp_replace(
      case column_name
        {% for name in text_columns %}
        when '{{ name }}' then {{ name }}
        {% endfor %}
        else json_extract_string(attributes, '$.' || column_name)
      end, '[\s\x0B\p{Z}]+', ' ', 'g'
    )) as part
  from known_articles
  cross join text_parts
),
texts as (
  select article_id, string_agg(part, '. ' order by place) as content_text
  from parts
  where part <> ''
  group by article_id
),
levels as (
  select
    article_id,
    trim(regexp_replace(index_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as index_group_name,
    trim(regexp_replace(product_group_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as product_group_name,
    trim(regexp_replace(product_type_name, '[\s\x0B\p{Z}]+', ' ', 'g')) as product_type_name
  from known_articles
)
select
  article_id,
  nullif(
    concat_ws(' > ', nullif(index_group_name, ''), nullif(product_group_name, ''), nullif(product_type_name, '')), ''
  ) as category_path,
  coalesce(content_text, '') as content_text
from levels
left join texts using (article_id)
