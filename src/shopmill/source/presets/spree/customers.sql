-- with placed
-- Accounts, those that were deleted and ordered too, and guests who have no account.
select
  u.id::text as customer_id,
  u.created_at at time zone 'UTC' as created_at,
  u.deleted_at is null as "Active",
  'account' as club_member_status,
  a.zipcode as postal_code
from spree_users u
left join spree_addresses a on a.id = u.ship_address_id
where u.deleted_at is null or exists (select from placed where placed.customer_id = u.id::text)
union all
select placed.customer_id, min(placed.completed_at), null, 'guest', null
from placed
where placed.customer_id like 'guest-%'
group by placed.customer_id
