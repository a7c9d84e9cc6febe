with said as (
  select distinct column_name
  from text_parts
  cross join articles
  where json_extract_string(attributes, '$.' || column_name) is not null
)
select
  count(*) as violations,
  string_agg(text_parts.column_name, ', ' order by place)
    || ': no text column of articles, and no article has such an attribute (content_columns)' as detail
from text_parts
left join said on said.column_name = text_parts.column_name
where not is_column and said.column_name is null
