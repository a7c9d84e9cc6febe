-- Lines at what one unit cost: discounts off, without the tax that the price includes.
select l.id, l.order_id, l.variant_id::text as article_id, l.quantity, round(l.pre_tax_amount / l.quantity, 6) as price
from spree_line_items l
where l.quantity > 0
