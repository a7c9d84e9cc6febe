-- A score is how many thresholds a value exceeds, plus one; fewer days since the last purchase are better.
-- A percentile is the share of the other customers with a purchase who do worse.
with scored as (
  select
    customer_id,
    5 - case when days_since_last_purchase > r.threshold_20 then 1 else 0 end
      - case when days_since_last_purchase > r.threshold_40 then 1 else 0 end
      - case when days_since_last_purchase > r.threshold_60 then 1 else 0 end
      - case when days_since_last_purchase > r.threshold_80 then 1 else 0 end as r_score,
    1 + case when active_days_count_lifetime > f.threshold_20 then 1 else 0 end
      + case when active_days_count_lifetime > f.threshold_40 then 1 else 0 end
      + case when active_days_count_lifetime > f.threshold_60 then 1 else 0 end
      + case when active_days_count_lifetime > f.threshold_80 then 1 else 0 end as f_score,
    1 + case when spend_sum_lifetime > m.threshold_20 then 1 else 0 end
      + case when spend_sum_lifetime > m.threshold_40 then 1 else 0 end
      + case when spend_sum_lifetime > m.threshold_60 then 1 else 0 end
      + case when spend_sum_lifetime > m.threshold_80 then 1 else 0 end as m_score,
    percent_rank() over (order by days_since_last_purchase desc) as r_percentile,
    percent_rank() over (order by active_days_count_lifetime) as f_percentile,
    percent_rank() over (order by spend_sum_lifetime) as m_percentile
  from transaction_features
  join rfm_thresholds as r on r.measure = 'days_since_last_purchase'
  join rfm_thresholds as f on f.measure = 'active_days_count_lifetime'
  join rfm_thresholds as m on m.measure = 'spend_sum_lifetime'
  where days_since_last_purchase is not null
)
select
  customer_id, r_score, f_score, m_score,
  cast(r_score as varchar) || cast(f_score as varchar) || cast(m_score as varchar) as rfm_score,
  segment as rfm_segment,
  r_percentile, f_percentile, m_percentile
from scored
join rfm_segments on rfm_segments.of_r_score = r_score and rfm_segments.of_f_score = f_score
