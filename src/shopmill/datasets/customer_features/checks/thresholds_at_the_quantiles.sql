-- At least so many customers do not exceed a threshold, and fewer lie below it: the quantile by its definition.
with counted as (
  select
    measure,
    count(*) as n,
    count(*) filter (where value < threshold_20) as below_20,
    count(*) filter (where value < threshold_40) as below_40,
    count(*) filter (where value < threshold_60) as below_60,
    count(*) filter (where value < threshold_80) as below_80,
    count(*) filter (where value <= threshold_20) as upto_20,
    count(*) filter (where value <= threshold_40) as upto_40,
    count(*) filter (where value <= threshold_60) as upto_60,
    count(*) filter (where value <= threshold_80) as upto_80
  from scored_measures
  join rfm_thresholds using (measure)
  where not is_frozen
  group by measure
)
select count(*) as violations
from counted
where not (
  5 * below_20 < 1 * n and 5 * upto_20 >= 1 * n
  and 5 * below_40 < 2 * n and 5 * upto_40 >= 2 * n
  and 5 * below_60 < 3 * n and 5 * upto_60 >= 3 * n
  and 5 * below_80 < 4 * n and 5 * upto_80 >= 4 * n
)
