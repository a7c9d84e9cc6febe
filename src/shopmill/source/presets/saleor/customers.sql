-- with placed
-- Accounts but for the staff, and guests who have no account.
select
  u.id::text as customer_id,
  u.date_joined as created_at,
  u.is_active as "Active",
  'account' as club_member_status,
  a.postal_code
from account_user u
left join account_address a on a.id = u.default_shipping_address_id
where not u.is_staff or exists (select from order_order o where o.user_id = u.id)
union all
select placed.customer_id, min(placed.created_at), null, 'guest', null
from placed
where placed.customer_id like 'guest-%'
group by placed.customer_id
