select
  count(*) as violations,
  count(*) || ' of ' || (select count(*) from article_index) || ' articles are not in the catalogue' as detail
from article_index
where article_id not in (select article_id from articles where article_id is not null)
