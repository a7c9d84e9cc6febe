select count(*) as violations, count(*) || ' days differ from the source, such as ' || min(cast(day as varchar)) as detail
from unreconciled_days
