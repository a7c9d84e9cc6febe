-- Lines at what one unit cost: discounts off, without tax. A variant that was deleted is known by the id that the line kept.
select
  l.id, l.order_id, l.quantity, l.unit_price_net_amount as price, l.product_name, l.variant_name, l.variant_id,
  coalesce(
    l.variant_id::text,
    nullif(split_part(convert_from(decode(l.product_variant_id, 'base64'), 'UTF8'), ':', 2), ''),
    'sku-' || l.product_sku
  ) as article_id
from order_orderline l
where l.quantity > 0
