with numbers as (
  select {{ key }}, dim, unnest(cast(embedding as double[])) as x from {{ table }}
),
vectors as (
  select
    count(*) <> dim as is_cut,
    -- NaN is larger than any number, so neither it nor infinity is between two.
    count(*) filter (where x between -1.001 and 1.001) < count(*) as is_wild,
    sqrt(sum(x * x)) between 0.999 and 1.001 as is_unit
  from numbers
  group by {{ key }}, dim
)
select
  count(*) filter (where is_cut or is_wild or not is_unit) as violations,
  'vectors of another dimension: ' || count(*) filter (where is_cut)
    || ', with NaN or infinity: ' || count(*) filter (where is_wild)
    || ', of another length than 1: ' || count(*) filter (where not is_unit) as detail
from vectors
