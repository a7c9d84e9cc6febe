-- with placed
-- Accounts, those that were deleted and ordered too, and guests who have no account.
select
  c.id::text as customer_id,
  u."createdAt" at time zone 'UTC' as created_at,
  c."deletedAt" is null as "Active",
  'account' as club_member_status,
  (
    select a."postalCode" from address a where a."customerId" = c.id order by a."defaultShippingAddress" desc, a.id desc limit 1
  ) as postal_code
from customer c
join "user" u on u.id = c."userId"
where c."deletedAt" is null or exists (select from placed where placed.customer_id = c.id::text)
union all
select placed.customer_id, min(placed.placed_at), null, 'guest', null
from placed
where placed.customer_id like 'guest-%'
group by placed.customer_id
