-- Lines with a product, at what one unit cost: discounts off, without tax. Not notes, sections and down payments.
select
  l.id, l.order_id, l.product_id::text as article_id, l.product_uom_qty::numeric as quantity,
  round(l.price_subtotal::numeric / l.product_uom_qty::numeric, 6) as price
from sale_order_line l
where l.product_id is not null and l.display_type is null and not coalesce(l.is_downpayment, false) and l.product_uom_qty > 0
