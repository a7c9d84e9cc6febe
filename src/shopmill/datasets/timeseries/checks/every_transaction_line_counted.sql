select count(*) as violations, count(*) || ' days differ from the source, such as ' || min(day) as detail
from unreconciled_days
