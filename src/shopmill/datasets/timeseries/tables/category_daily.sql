-- Categories by day; one is promoted when any of its articles is.
select
  features.unique_id,
  features.ds,
  y,
  revenue,
  unique_customers,
  fill_reason,
  days_since_last_sale,
  lag_1,
  lag_7,
  lag_28,
  rolling_mean_lag1_w7,
  rolling_mean_lag1_w30,
  rolling_std_lag1_w7,
  rolling_std_lag1_w30,
  day_of_week,
  month,
  week,
  is_weekend,
  is_holiday,
  promoted.unique_id is not null as is_promo
from features
join calendar on calendar.ds = features.ds
left join promoted_categories as promoted on promoted.unique_id = features.unique_id and promoted.ds = features.ds
where level = 'category' and freq = 'D'
