-- One row per customer with a purchase and measure; more worth is better, so days count negative.
select
  'days_since_last_purchase' as measure,
  cast(days_since_last_purchase as decimal(38, 6)) as value,
  -days_since_last_purchase as worth,
  r_score as score,
  r_percentile as percentile
from features
where r_score is not null
union all
select
  'active_days_count_lifetime', cast(active_days_count_lifetime as decimal(38, 6)),
  active_days_count_lifetime, f_score, f_percentile
from features
where f_score is not null
union all
select 'spend_sum_lifetime', cast(spend_sum_lifetime as decimal(38, 6)), spend_sum_lifetime, m_score, m_percentile
from features
where m_score is not null
