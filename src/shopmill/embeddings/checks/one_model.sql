select case when count(*) > 1 then count(*) else 0 end as violations, count(*) || ' models' as detail
from (select distinct model_id, model_revision, dim from {{ table }}) as models
