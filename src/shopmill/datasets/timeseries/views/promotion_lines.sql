-- The shop's promotions that had begun before as_of; `problem` says why one cannot be used.
-- Days are closed on both ends, and cut at as_of: what is planned for later says nothing about the days until then.
select
  article_id,
  product_group_name,
  starts_on,
  least(coalesce(ends_on, $as_of - 1), $as_of - 1) as ends_on,
  kind,
  case
    when starts_on is null then 'starts_on is null'
    when ends_on < starts_on then 'ends_on is before starts_on'
    when article_id is null and product_group_name is null then 'neither article_id nor product_group_name'
  end as problem,
  to_json({
    'article_id': article_id, 'product_group_name': product_group_name, 'starts_on': cast(starts_on as varchar),
    'ends_on': cast(ends_on as varchar), 'kind': kind
  }) as source_row
from source_promotions
where starts_on is null or starts_on < $as_of
