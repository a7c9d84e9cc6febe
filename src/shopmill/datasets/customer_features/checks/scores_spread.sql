with by_score as (
  select measure, score, count(*) as n_customers
  from scored_measures
  group by measure, score
),
shares as (
  select *, sum(n_customers) over (partition by measure) as n_all
  from by_score
)
select
  count(*) as violations,
  max(n_customers || ' of ' || n_all || ' customers have score ' || score || ' of ' || measure) as detail
from shares
where n_customers > $max_score_share * n_all
