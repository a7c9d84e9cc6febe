select
  abs(counted - expected) as violations,
  counted || ' counted or rejected, ' || expected || ' in the source' as detail
from (
  select
    (select coalesce(sum(transactions_count_lifetime), 0) from features)
    + (select count(*) from judged_transactions where problem is null and customer_id is null)
    + (select count(*) from rejects where source_table = 'transactions' and reason not like '%taken as unknown') as counted,
    (select row_count from input_rows where table_name = 'transactions') as expected
) as counts
