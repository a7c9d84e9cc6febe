select count(*) as violations, 'series with gaps: ' || count(*) || ', such as ' || min(unique_id) as detail
from gaps
