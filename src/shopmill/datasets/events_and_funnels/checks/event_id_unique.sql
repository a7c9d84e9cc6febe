select count(*) as violations, count(*) || ' events have the event_id of another' as detail
from uses_of_event_ids
where since_last_us <= $duplicate_hours * 3600000000
