-- Lags and windows over the rows before each row, never the row itself. The sums are exact: one division, one root. Their
-- casts leave room for the products, so that no engine rounds them.
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
    cast(sum(y) over last_7 as decimal(17, 6)) as total_7,
    sum(cast(y as decimal(19, 6)) * y) over last_7 as squares_7,
    count(y) over last_30 as n_30,
    cast(sum(y) over last_30 as decimal(17, 6)) as total_30,
    sum(cast(y as decimal(19, 6)) * y) over last_30 as squares_30
  from known
  window
    series as (partition by level, freq, unique_id order by ds),
    last_7 as (partition by level, freq, unique_id order by ds rows between 7 preceding and 1 preceding),
    last_30 as (partition by level, freq, unique_id order by ds rows between 30 preceding and 1 preceding)
)
select
  level, freq, unique_id, ds, fill_reason, days_since_last_sale, y, revenue, unique_customers, lag_1, lag_7, lag_28,
  case when n_7 >= $min_observations then cast(total_7 as double) / cast(n_7 as double) end as rolling_mean_lag1_w7,
  case when n_30 >= $min_observations then cast(total_30 as double) / cast(n_30 as double) end as rolling_mean_lag1_w30,
  case
    when n_7 >= greatest(2, $min_observations)
    then sqrt(cast(cast(n_7 as decimal(2, 0)) * cast(squares_7 as decimal(34, 12)) - cast(total_7 as decimal(19, 6)) * total_7 as double) / cast(n_7 * (n_7 - 1) as double))
  end as rolling_std_lag1_w7,
  case
    when n_30 >= greatest(2, $min_observations)
    then sqrt(cast(cast(n_30 as decimal(2, 0)) * cast(squares_30 as decimal(34, 12)) - cast(total_30 as decimal(19, 6)) * total_30 as double) / cast(n_30 * (n_30 - 1) as double))
  end as rolling_std_lag1_w30
from looked_back
where ds >= $since
