-- with person, placed, sold
-- An article is a variant; its product is the product_code. Deleted and unpublished ones were sold before, and are not listed, like
-- what staff added to an order by hand.
with currency as (
  select coalesce(
    nullif(lower(current_setting('shopmill.currency', true)), ''),
    (select currency_code from store_currency where is_default and deleted_at is null order by created_at, id limit 1)
  ) as code
),
category as (
  select distinct on (link.product_id) link.product_id, c.name, root.name as root_name
  from product_category_product link
  join product_category c on c.id = link.product_category_id and c.deleted_at is null
  join product_category root on root.id = split_part(c.mpath, '.', 1)
  where not exists (
    select from product_category above
    where above.id = any (string_to_array(c.mpath, '.')) and (above.is_internal or not above.is_active)
  )
  order by link.product_id, cardinality(string_to_array(c.mpath, '.')) desc, c.rank, c.id
),
list_price as (
  select distinct on (link.variant_id) link.variant_id, price.amount
  from product_variant_price_set link
  join price on price.price_set_id = link.price_set_id and price.currency_code = (select code from currency)
  where price.price_list_id is null and price.rules_count = 0 and price.min_quantity is null
  order by link.variant_id, price.deleted_at is not null, price.created_at desc, price.id
),
stock as (
  select available.variant_id, min(floor(available.units / available.required_quantity)) as units
  from (
    select link.variant_id, link.required_quantity, coalesce(sum(level.stocked_quantity - level.reserved_quantity), 0) as units
    from product_variant_inventory_item link
    left join inventory_level level on level.inventory_item_id = link.inventory_item_id and level.deleted_at is null
    where link.deleted_at is null
    group by link.variant_id, link.inventory_item_id, link.required_quantity
  ) as available
  group by available.variant_id
),
looks as (
  select
    link.variant_id,
    min(v.value) filter (where lower(o.title) in ('color', 'colour')) as colour,
    min(v.value) filter (where lower(o.title) = 'size') as size
  from product_variant_option link
  join product_option_value v on v.id = link.option_value_id
  join product_option o on o.id = v.option_id
  group by link.variant_id
)
select
  v.id as article_id,
  v.product_id as product_code,
  concat_ws(' ', p.title, nullif(v.title, 'Default variant')) as prod_name,
  t.value as product_type_name,
  category.name as product_group_name,
  category.root_name as index_group_name,
  looks.colour as colour_group_name,
  p.description as detail_desc,
  list_price.amount as price,
  case when v.manage_inventory then greatest(stock.units, 0) end::integer as stock,
  v.deleted_at is null and p.deleted_at is null and p.status = 'published' as is_listed,
  looks.size,
  coalesce(v.material, p.material) as material,
  collection.title as collection
from product_variant v
join product p on p.id = v.product_id
left join product_type t on t.id = p.type_id
left join product_collection collection on collection.id = p.collection_id
left join category on category.product_id = p.id
left join list_price on list_price.variant_id = v.id
left join stock on stock.variant_id = v.id
left join looks on looks.variant_id = v.id
union all
select distinct on (sold.article_id)
  sold.article_id, null, sold.title, null, null, null, null, null, null, null, false, null, null, null
from sold
where sold.variant_id is null
order by article_id, is_listed
