-- Confirmed sales orders by the customer's main contact; a cancelled one counts if the warehouse had it, a quotation does not. Odoo writes its times in UTC.
select
  o.id, o.date_order at time zone 'UTC' as ordered_at, o.write_date at time zone 'UTC' as changed_at, o.state,
  currency.name as currency,
  coalesce(partner.commercial_partner_id, partner.id)::text as customer_id
from sale_order o
join res_currency currency on currency.id = o.currency_id
left join res_partner partner on partner.id = o.partner_id
where o.state in ('sale', 'done')
  or (
    o.state = 'cancel'
    and exists (select from stock_move move join sale_order_line l on l.id = move.sale_line_id where l.order_id = o.id)
  )
