-- The signals from $since on and before $until, one row each: interactions has their sums.
select
  day, customer_id, article_id, signal, happened_at, units as quantity, value, session_id
from signals
where day >= $since and day < $until
