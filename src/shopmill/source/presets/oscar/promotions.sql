-- Offers that everybody gets, on the articles of their range.
with article as (
  select p.id, coalesce(p.parent_id, p.id) as product_id from catalogue_product p where p.structure <> 'parent'
),
filed as (
  select link.product_id, range_category.range_id
  from offer_range_included_categories range_category
  join catalogue_category chosen on chosen.id = range_category.category_id
  join catalogue_category c on starts_with(c.path, chosen.path)
  join catalogue_productcategory link on link.category_id = c.id
)
select
  article.id::text as article_id,
  offer.start_datetime::date as starts_on,
  offer.end_datetime::date as ends_on,
  lower(benefit.type) as kind
from offer_conditionaloffer offer
join offer_benefit benefit on benefit.id = offer.benefit_id
join offer_condition condition on condition.id = offer.condition_id
join offer_range range on range.id = coalesce(benefit.range_id, condition.range_id)
join article on
  range.includes_all_products
  or exists (select from offer_rangeproduct r where r.range_id = range.id and r.product_id in (article.id, article.product_id))
  or exists (select from filed where filed.range_id = range.id and filed.product_id = article.product_id)
where offer.offer_type = 'Site' and offer.status <> 'Suspended'
  and not exists (
    select from offer_range_excluded_products x where x.range_id = range.id and x.product_id in (article.id, article.product_id)
  )
