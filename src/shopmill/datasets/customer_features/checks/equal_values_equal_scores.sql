with by_value as (
  select measure, worth, min(score) as lowest, max(score) as highest, min(percentile) as first, max(percentile) as last
  from scored_measures
  group by measure, worth
),
neighbours as (
  select
    *,
    lag(highest) over (partition by measure order by worth) as score_below,
    lag(last) over (partition by measure order by worth) as percentile_below
  from by_value
)
select count(*) as violations
from neighbours
where lowest <> highest or first <> last or score_below > lowest or percentile_below >= first
