-- with placed
-- Accounts but for the staff, and guests who have no account.
select
  u.id::text as customer_id,
  u.date_joined as created_at,
  u.is_active as "Active",
  'account' as club_member_status,
  (
    select a.postcode from address_useraddress a where a.user_id = u.id order by a.is_default_for_shipping desc, a.id desc limit 1
  ) as postal_code
from auth_user u
where not u.is_staff or exists (select from order_order o where o.user_id = u.id)
union all
select placed.customer_id, min(placed.date_placed), null, 'guest', null
from placed
where placed.customer_id like 'guest-%'
group by placed.customer_id
