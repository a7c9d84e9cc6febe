-- Lags and windows over the rows before each row, never the row itself. The sums are exact: one division, one root.
with known as (
  select level, freq, unique_id, ds, fill_reason, days_since_last_sale, y, revenue, unique_customers
  from grid
  union all
  select level, freq, unique_id, ds, null, null, y, null, null
  from warm_up
),
looked_back as (
  select
    *,
    lag(y, 1) over series as lag_1,
    lag(y, 7) over series as lag_7,
    lag(y, 28) over series as lag_28,
    count(y) over last_7 as n_7,
    sum(y) over last_7 as sum_7,
    sum(y * y) over last_7 as squares_7,
    count(y) over last_30 as n_30,
    sum(y) over last_30 as sum_30,
    sum(y * y) over last_30 as squares_30
  from known
  window
    series as (partition by level, freq, unique_id order by ds),
    last_7 as (partition by level, freq, unique_id order by ds rows between 7 preceding and 1 preceding),
    last_30 as (partition by level, freq, unique_id order by ds rows between 30 preceding and 1 preceding)
)
select
  level, freq, unique_id, ds, fill_reason, days_since_last_sale, y, revenue, unique_customers, lag_1, lag_7, lag_28,
  case when n_7 >= $min_observations then cast(sum_7 as double) / cast(n_7 as double) end as rolling_mean_lag1_w7,
  case when n_30 >= $min_observations then cast(sum_30 as double) / cast(n_30 as double) end as rolling_mean_lag1_w30,
  case
    when n_7 >= greatest(2, $min_observations)
    then sqrt(cast(n_7 * squares_7 - sum_7 * sum_7 as double) / cast(n_7 * (n_7 - 1) as double))
  end as rolling_std_lag1_w7,
  case
    when n_30 >= greatest(2, $min_observations)
    then sqrt(cast(n_30 * squares_30 - sum_30 * sum_30 as double) / cast(n_30 * (n_30 - 1) as double))
  end as rolling_std_lag1_w30
from looked_back
where ds >= $since
