with names as (
  select 'none' as code_column, 'none' as code, 'none' as name
  {% for column in code_columns %}
  union
  select '{{ column.code }}', cast({{ column.code }} as varchar), {{ column.name }}
  from articles
  where is_active and {{ column.code }} is not null
  {% endfor %}
),
ambiguous as (
  select code_column, code
  from names
  group by code_column, code
  having count(*) > 1
),
by_column as (
  select code_column, count(*) as n, min(code) as example
  from ambiguous
  group by code_column
)
select
  coalesce(sum(n), 0) as violations,
  string_agg(code_column || ': ' || n || ' (such as ' || example || ')', ', ' order by code_column) as detail
from by_column
