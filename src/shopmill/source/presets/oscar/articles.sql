-- with sold
-- What can be bought: children of a parent and stand-alone products, those that are hidden too, and what was sold and deleted.
with category as (
  select distinct on (link.product_id) link.product_id, c.name, root.name as root_name
  from catalogue_productcategory link
  join catalogue_category c on c.id = link.category_id and c.is_public and c.ancestors_are_public
  join catalogue_category root on root.depth = 1 and root.path = left(c.path, length(root.path))
  order by link.product_id, c.depth desc, c.path
),
stock as (
  select distinct on (product_id)
    product_id, price, greatest(num_in_stock - coalesce(num_allocated, 0), 0) as units
  from partner_stockrecord
  where price_currency = current_setting('shopmill.currency', true) or coalesce(current_setting('shopmill.currency', true), '') = ''
  order by product_id, id
),
looks as (
  select
    v.product_id,
    min(coalesce(v.value_text, o.option)) filter (where a.code in ('color', 'colour')) as colour,
    min(coalesce(v.value_text, o.option)) filter (where a.code = 'size') as size
  from catalogue_productattributevalue v
  join catalogue_productattribute a on a.id = v.attribute_id
  left join catalogue_attributeoption o on o.id = v.value_option_id
  group by v.product_id
)
select
  p.id::text as article_id,
  coalesce(p.parent_id, p.id)::text as product_code,
  coalesce(nullif(p.title, ''), parent.title) as prod_name,
  class.name as product_type_name,
  category.name as product_group_name,
  category.root_name as index_group_name,
  coalesce(own.colour, shared.colour) as colour_group_name,
  coalesce(own.size, shared.size) as size,
  regexp_replace(coalesce(nullif(p.description, ''), parent.description), '<[^>]*>', ' ', 'g') as detail_desc,
  stock.price,
  case when class.track_stock then stock.units end as stock,
  p.is_public and coalesce(parent.is_public, true) as is_listed
from catalogue_product p
left join catalogue_product parent on parent.id = p.parent_id
left join catalogue_productclass class on class.id = coalesce(p.product_class_id, parent.product_class_id)
left join category on category.product_id = coalesce(p.parent_id, p.id)
left join stock on stock.product_id = p.id
left join looks own on own.product_id = p.id
left join looks shared on shared.product_id = p.parent_id
where p.structure <> 'parent'
union all
select distinct on (sold.article_id)
  sold.article_id, null, l.title, null, null, null, null, null, null, null::numeric, null::integer, false
from sold
join order_line l on l.id = sold.id
where sold.product_id is null
order by article_id, is_listed
