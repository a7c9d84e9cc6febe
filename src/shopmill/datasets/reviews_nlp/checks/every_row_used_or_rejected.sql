select
  abs(used + rejected - expected) as violations,
  used || ' used and ' || rejected || ' rejected of ' || expected || ' rows' as detail
from (
  select
    (select count(*) from reviews) as used,
    (select count(*) from rejects where source_table = 'reviews') as rejected,
    (select row_count from input_rows where table_name = 'reviews') as expected
) as counted
