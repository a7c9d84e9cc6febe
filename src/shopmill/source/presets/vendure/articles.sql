-- An article is a variant; its product is the product_code. Names, prices and listing are those of the default channel. Deleted and
-- disabled ones were sold before, and are not listed.
with shop as (
  select
    id,
    coalesce(nullif(current_setting('shopmill.currency', true), ''), "defaultCurrencyCode") as currency,
    "defaultLanguageCode" as language
  from channel
  where code = '__default_channel__'
),
tree as (
  select c.id, c.position, name.name, count(*) as depth, min(top_name.name) filter (where top."parentId" = root.id) as top_name
  from collection c
  join collection root on root."isRoot"
  join collection_closure closure on closure.id_descendant = c.id
  join collection top on top.id = closure.id_ancestor and not top."isRoot"
  join shop on true
  join collection_translation name on name."baseId" = c.id and name."languageCode" = shop.language
  join collection_translation top_name on top_name."baseId" = top.id and top_name."languageCode" = shop.language
  group by c.id, c.position, name.name
  having not bool_or(top."isPrivate")
),
category as (
  select distinct on (link."productVariantId") link."productVariantId" as variant_id, tree.name, tree.top_name
  from collection_product_variants_product_variant link
  join tree on tree.id = link."collectionId"
  order by link."productVariantId", tree.depth desc, tree.position, tree.id
),
stock as (
  select "productVariantId" as variant_id, sum("stockOnHand" - "stockAllocated") as units
  from stock_level
  group by "productVariantId"
),
facet_value_of as (
  select link."productVariantId" as variant_id, link."facetValueId" as value_id from product_variant_facet_values_facet_value link
  union
  select v.id, link."facetValueId" from product_facet_values_facet_value link join product_variant v on v."productId" = link."productId"
),
looks as (
  select
    facet_value_of.variant_id,
    min(name.name) filter (where lower(f.code) in ('color', 'colour')) as colour,
    min(name.name) filter (where lower(f.code) = 'brand') as brand
  from facet_value_of
  join facet_value v on v.id = facet_value_of.value_id
  join facet f on f.id = v."facetId"
  join shop on true
  join facet_value_translation name on name."baseId" = v.id and name."languageCode" = shop.language
  group by facet_value_of.variant_id
)
select
  v.id::text as article_id,
  v."productId"::text as product_code,
  name.name as prod_name,
  category.name as product_group_name,
  category.top_name as index_group_name,
  looks.colour as colour_group_name,
  regexp_replace(product_name.description, '<[^>]*>', ' ', 'g') as detail_desc,
  round(price.price / 100.0, 6) as price,
  case
    when v."trackInventory" = 'TRUE' or (v."trackInventory" = 'INHERIT' and settings."trackInventory") then greatest(stock.units, 0)
  end::integer as stock,
  v."deletedAt" is null and p."deletedAt" is null and v.enabled and p.enabled as is_listed,
  looks.brand,
  v.sku
from product_variant v
join product p on p.id = v."productId"
join shop on true
cross join global_settings settings
left join product_variant_translation name on name."baseId" = v.id and name."languageCode" = shop.language
left join product_translation product_name on product_name."baseId" = p.id and product_name."languageCode" = shop.language
left join product_variant_price price
  on price."variantId" = v.id and price."channelId" = shop.id and price."currencyCode" = shop.currency
left join category on category.variant_id = v.id
left join stock on stock.variant_id = v.id
left join looks on looks.variant_id = v.id
