-- with sold
-- Variants of what can be sold; archived ones are not listed. Names are JSON by language: English, else any.
with stock as (
  select q.product_id, greatest(sum(q.quantity - q.reserved_quantity), 0) as units
  from stock_quant q
  join stock_location place on place.id = q.location_id and place.usage = 'internal'
  group by q.product_id
)
select
  v.id::text as article_id,
  v.product_tmpl_id::text as product_code,
  coalesce(p.name ->> 'en_US', (select min(value) from jsonb_each_text(p.name))) as prod_name,
  c.name as product_group_name,
  split_part(c.complete_name, ' / ', 1) as index_group_name,
  coalesce(p.description_sale ->> 'en_US', (select min(value) from jsonb_each_text(p.description_sale))) as detail_desc,
  p.list_price::numeric as price,
  floor(stock.units)::integer as stock,
  v.active and p.active and p.sale_ok as is_listed,
  v.default_code as sku
from product_product v
join product_template p on p.id = v.product_tmpl_id
left join product_category c on c.id = p.categ_id
left join stock on stock.product_id = v.id
where p.sale_ok or exists (select from sold where sold.article_id = v.id::text)
