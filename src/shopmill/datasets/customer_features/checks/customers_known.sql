select
  count(*) as violations,
  count(*) || ' customers have bought or ordered without being in customers' as detail
from features
where not is_known
