-- with sold
-- Variants, those that no channel offers too, and what was sold and deleted. The price is the highest of the shop's channels in
-- SHOPMILL_CURRENCY (or in the only currency there is).
with price as (
  select variant_id, max(coalesce(discounted_price_amount, price_amount)) as amount
  from product_productvariantchannellisting
  where currency = current_setting('shopmill.currency', true) or coalesce(current_setting('shopmill.currency', true), '') = ''
  group by variant_id
  having count(distinct currency) = 1
),
stock as (
  select product_variant_id, greatest(sum(quantity - quantity_allocated), 0) as units from warehouse_stock group by product_variant_id
)
select
  v.id::text as article_id,
  v.product_id::text as product_code,
  concat_ws(' ', p.name, nullif(v.name, '')) as prod_name,
  kind.name as product_type_name,
  category.name as product_group_name,
  root.name as index_group_name,
  p.description_plaintext as detail_desc,
  price.amount as price,
  case when v.track_inventory then stock.units::integer end as stock,
  exists (
    select from product_productchannellisting c
    join product_productvariantchannellisting vc on vc.channel_id = c.channel_id and vc.variant_id = v.id
    where c.product_id = p.id and c.is_published and vc.price_amount is not null
  ) as is_listed
from product_productvariant v
join product_product p on p.id = v.product_id
left join product_producttype kind on kind.id = p.product_type_id
left join product_category category on category.id = p.category_id
left join product_category root on root.tree_id = category.tree_id and root.level = 0
left join price on price.variant_id = v.id
left join stock on stock.product_variant_id = v.id
union all
select distinct on (sold.article_id)
  sold.article_id, null, concat_ws(' ', sold.product_name, nullif(sold.variant_name, '')), null, null, null, null, null, null, false
from sold
where sold.variant_id is null
order by article_id, is_listed
