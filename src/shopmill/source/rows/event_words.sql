-- The words of trackers that are known, and the event type that each means (`other`: none).
select split_part(pair, '>', 1) as word, split_part(pair, '>', 2) as meaning
from (select unnest(string_split($event_words, '|')) as pair) as pairs
