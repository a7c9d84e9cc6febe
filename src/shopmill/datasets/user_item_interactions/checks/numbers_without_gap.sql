with placed as (
  select customer_index as number, row_number() over (order by customer_index) - 1 as place
  from customer_index
  union all
  select article_index, row_number() over (order by article_index) - 1
  from article_index
)
select count(*) as violations, 'such as ' || min(number) || ' in the place of ' || min(place) as detail
from placed
where number <> place
