-- In a full rebuild the log has as many signals as interactions counts, and the same spend. A run that computes the last
-- months alone sees these alone: the accounts then prove that interactions has every row of the source.
with logged as (
  select count(*) as n, coalesce(sum(value), 0) as spend
  from log
),
counted as (
  select coalesce(sum(interaction_count), 0) as n, coalesce(sum(spend_sum), 0) as spend
  from interactions
)
select
  case when $is_full and (logged.n <> counted.n or logged.spend <> counted.spend) then 1 else 0 end as violations,
  logged.n || ' signals in the log, ' || counted.n || ' in interactions' as detail
from logged
cross join counted
