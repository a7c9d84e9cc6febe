-- Category days whose lag or windows are not what a plain join with the days before them gives.
with known as (
  select unique_id, ds, y
  from category_daily
  union all
  select unique_id, ds, y
  from previous_category_daily
  where ds < $since
),
looked_back as (
  select
    today.unique_id,
    today.ds,
    max(case when past.ds = today.ds - 1 then past.y end) as lag_1,
    count(case when past.ds >= today.ds - 7 then past.y end) as n_7,
    sum(case when past.ds >= today.ds - 7 then past.y end) as sum_7,
    count(past.y) as n_30,
    sum(past.y) as sum_30
  from category_daily as today
  left join known as past
    on past.unique_id = today.unique_id and past.ds < today.ds and past.ds >= today.ds - 30
  group by today.unique_id, today.ds
)
select unique_id, ds
from looked_back
join category_daily using (unique_id, ds)
where
  looked_back.lag_1 is distinct from category_daily.lag_1
  or rolling_mean_lag1_w7 is distinct from
    case when n_7 >= $min_observations then cast(sum_7 as double) / cast(n_7 as double) end
  or rolling_mean_lag1_w30 is distinct from
    case when n_30 >= $min_observations then cast(sum_30 as double) / cast(n_30 as double) end
