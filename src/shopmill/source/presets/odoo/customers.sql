-- Main contacts who have ordered: the address book has many more.
select
  p.id::text as customer_id,
  p.create_date at time zone 'UTC' as created_at,
  p.active as "Active",
  case when p.is_company then 'company' else 'person' end as club_member_status,
  p.zip as postal_code
from res_partner p
where exists (
  select from sale_order o join res_partner contact on contact.id = o.partner_id
  where coalesce(contact.commercial_partner_id, contact.id) = p.id
)
