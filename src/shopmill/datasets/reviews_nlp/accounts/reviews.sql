select cast(null as varchar) as kind, count(*) as row_count
from reviews
