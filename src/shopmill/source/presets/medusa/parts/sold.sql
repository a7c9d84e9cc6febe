-- Lines of the order's present version (an order_item of each version remains), at what one unit cost: discounts off, without
-- tax. The quantity of a line that was edited away is 0.
select
  line.id, line.variant_id, line.created_at, line.title, line.product_title, line.product_id,
  placed.id as order_id, placed.customer_id, placed.currency, placed.changed_at,
  item.quantity,
  coalesce(line.variant_id, 'custom-' || lower(line.title)) as article_id,
  round(
    (coalesce(item.unit_price, line.unit_price) - coalesce(discount.amount, 0) / nullif(item.quantity, 0))
      / case when line.is_tax_inclusive then 1 + coalesce(tax.rate, 0) / 100 else 1 end,
    6
  ) as price
from placed
join order_item item on item.order_id = placed.id and item.version = placed.version and item.deleted_at is null
join order_line_item line on line.id = item.item_id
left join lateral (
  select sum(a.amount) as amount
  from order_line_item_adjustment a
  where a.item_id = line.id and a.version = placed.version and a.deleted_at is null
) as discount on true
left join lateral (
  select sum(t.rate) as rate from order_line_item_tax_line t where t.item_id = line.id and t.deleted_at is null
) as tax on true
where item.quantity > 0
