-- The weeks of this run. ISO's week and the month are those of the Monday.
select
  monday as ds,
  min(case when ds = monday then month end) as month,
  min(case when ds = monday then week end) as week,
  bool_or(is_holiday) as is_holiday
from calendar
group by monday
