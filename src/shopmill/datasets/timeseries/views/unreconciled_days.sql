-- Days whose units in the series are not those of the usable lines. Days before $since were reconciled by the version that
-- they were taken over from.
with sold as (
  select t_dat as ds, sum(quantity) as units
  from judged_transactions
  where problem is null and t_dat >= $since
  group by t_dat
),
stated as (
  select ds, sum(y) as units
  from category_daily
  group by ds
  having sum(y) > 0
)
select ds as day, coalesce(stated.units, 0) as in_the_series, coalesce(sold.units, 0) as in_the_source
from sold
full join stated using (ds)
where sold.units is distinct from stated.units
