-- Price lists of the kind `sale`, which everybody gets, on the variants that they have a price for.
select distinct
  link.variant_id as article_id,
  list.starts_at::date as starts_on,
  list.ends_at::date as ends_on,
  'price list' as kind
from price_list list
join price on price.price_list_id = list.id and price.deleted_at is null
join product_variant_price_set link on link.price_set_id = price.price_set_id and link.deleted_at is null
where list.deleted_at is null and list.status = 'active' and list.type = 'sale' and list.rules_count = 0
