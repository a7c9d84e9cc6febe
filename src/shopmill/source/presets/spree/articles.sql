-- Variants: those of a product that has options, and the master of one that has none. Deleted ones stay, and are not listed.
-- A taxon lies within another one where its lft lies between that one's lft and rgt.
with category as (
  select distinct on (link.product_id) link.product_id, t.name, root.name as root_name
  from spree_products_taxons link
  join spree_taxons t on t.id = link.taxon_id and not coalesce(t.hide_from_nav, false)
  join spree_taxons root on root.taxonomy_id = t.taxonomy_id and root.parent_id is null
  where not exists (
    select from spree_taxons above
    where above.taxonomy_id = t.taxonomy_id and t.lft between above.lft and above.rgt and coalesce(above.hide_from_nav, false)
  )
  order by link.product_id, t.depth desc, t.lft, t.id
),
price as (
  select distinct on (variant_id) variant_id, amount
  from spree_prices
  where deleted_at is null and amount is not null
    and (currency = current_setting('shopmill.currency', true) or coalesce(current_setting('shopmill.currency', true), '') = '')
  order by variant_id, id
),
stock as (
  select variant_id, greatest(sum(count_on_hand), 0) as units from spree_stock_items where deleted_at is null group by variant_id
)
select
  v.id::text as article_id,
  v.product_id::text as product_code,
  p.name as prod_name,
  category.name as product_group_name,
  category.root_name as index_group_name,
  p.description as detail_desc,
  price.amount as price,
  case when v.track_inventory then stock.units::integer end as stock,
  v.deleted_at is null and p.deleted_at is null and p.status = 'active' as is_listed
from spree_variants v
join spree_products p on p.id = v.product_id
left join category on category.product_id = p.id
left join price on price.variant_id = v.id
left join stock on stock.variant_id = v.id
where not v.is_master
  or not exists (select from spree_variants other where other.product_id = v.product_id and not other.is_master)
  or exists (select from spree_line_items l where l.variant_id = v.id)
