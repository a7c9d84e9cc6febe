select
  abs(used + rejected - expected) as violations,
  used || ' used and ' || rejected || ' rejected of ' || expected || ' rows' as detail
from (
  select
    (select count(*) from articles where is_active and article_id in (
       select article_id from judged_articles where problem is null)) as used,
    (select count(*) from rejects) as rejected,
    (select row_count from input_rows where table_name = 'articles') as expected
) as counted
