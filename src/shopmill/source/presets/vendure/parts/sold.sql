-- Lines at what one unit cost: discounts off, without tax, minor units made whole; Vendure rounds the line. Cancelling a line sets
-- its quantity to 0, and a line that was added later has no orderPlacedQuantity: it is the greater of both that was sold.
select
  l.id, l."orderId" as order_id, l."productVariantId"::text as article_id, sold.units as quantity,
  round(
    round((l."listPrice"::numeric * sold.units + discount.amount) / case when l."listPriceIncludesTax" then 1 + tax.rate / 100 else 1 end)
      / sold.units / 100,
    6
  ) as price
from order_line l
cross join lateral (select greatest(l.quantity, l."orderPlacedQuantity") as units) as sold
cross join lateral (
  select coalesce(sum((a ->> 'amount')::numeric), 0) as amount from jsonb_array_elements(l.adjustments::jsonb) as a
) as discount
cross join lateral (
  select coalesce(sum((t ->> 'taxRate')::numeric), 0) as rate from jsonb_array_elements(l."taxLines"::jsonb) as t
) as tax
where sold.units > 0
