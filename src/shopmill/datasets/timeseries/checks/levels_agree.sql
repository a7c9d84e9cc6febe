select count(*) as violations, 'in ' || min(category) || ' from ' || min(ds) || ' on' as detail
from levels_apart
