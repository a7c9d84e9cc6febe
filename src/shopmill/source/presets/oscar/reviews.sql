-- Approved ones. A review of a parent is of the product, not of one of its children.
select
  r.id::text as review_id,
  r.user_id::text as customer_id,
  case when p.structure <> 'parent' then p.id::text end as article_id,
  coalesce(p.parent_id, p.id)::text as product_code,
  r.score as rating,
  concat_ws(E'\n', nullif(r.title, ''), nullif(r.body, '')) as review_text,
  r.date_created as review_date
from reviews_productreview r
join catalogue_product p on p.id = r.product_id
where r.status = 1
