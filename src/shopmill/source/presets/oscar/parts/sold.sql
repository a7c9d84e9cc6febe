-- Lines at what one unit cost: discounts off, without tax. A product that was deleted is known by its SKU, and found again
-- when a product has that SKU again.
select
  l.id, l.order_id, l.quantity,
  round(l.line_price_excl_tax / l.quantity, 6) as price,
  coalesce(l.product_id, again.product_id)::text as product_id,
  coalesce(coalesce(l.product_id, again.product_id)::text, 'sku-' || l.partner_sku) as article_id,
  lower(l.status) in ('cancelled', 'canceled') as is_cancelled
from order_line l
left join partner_stockrecord again
  on l.product_id is null and again.partner_id = l.partner_id and again.partner_sku = l.partner_sku
where l.quantity > 0
