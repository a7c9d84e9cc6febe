select cast(null as varchar) as kind, coalesce(sum(event_count + bot_event_count), 0) as row_count
from funnel_daily
