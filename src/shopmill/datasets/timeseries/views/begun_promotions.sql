-- The shop's promotions that had begun before as_of.
-- Days are closed on both ends, and cut at as_of: what is planned for later says nothing about the days until then.
select
  article_id,
  product_group_name,
  starts_on,
  least(coalesce(ends_on, $as_of - 1), $as_of - 1) as ends_on,
  kind,
  problem,
  source_day,
  source_row
from judged_promotions
where starts_on is null or starts_on < $as_of
