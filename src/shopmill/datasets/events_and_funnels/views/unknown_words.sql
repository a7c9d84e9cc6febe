-- The words of the new events that are not known, the most frequent first.
select *, row_number() over (order by n_events desc, word) as place
from (
  select event_type as word, count(*) as n_events
  from session_events
  where replace(replace(lower(trim(event_type)), ' ', '_'), '-', '_') not in (select word from event_words)
  group by event_type
) as counted_words
