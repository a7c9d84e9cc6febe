select
  case when count(currency) > 0 then count(*) - count(currency) else 0 end as violations,
  cast(count(*) - count(currency) as varchar) || ' of ' || cast(count(*) as varchar)
  || ' rows of {{ table }} have no currency, and are taken to be in the shop''s own' as detail
from judged_{{ table }}
