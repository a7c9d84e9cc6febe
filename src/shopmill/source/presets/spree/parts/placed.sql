-- Completed orders with the person behind each: an account, else the account that has the guest's address by now, else the guest.
-- Rails writes its times in UTC.
select
  o.id, o.completed_at at time zone 'UTC' as completed_at, o.currency, o.state,
  greatest(o.updated_at, account.created_at) at time zone 'UTC' as changed_at,
  coalesce(
    coalesce(o.user_id, account.id)::text,
    'guest-' || encode(
      sha256(
        decode(nullif(current_setting('shopmill.pseudonym_outer_key', true), ''), 'hex')
        || sha256(decode(nullif(current_setting('shopmill.pseudonym_inner_key', true), ''), 'hex') || convert_to(address.text, 'UTF8'))
      ),
      'hex'
    )
  ) as customer_id
from spree_orders o
cross join lateral (select nullif(lower(trim(o.email)), '') as text) as address
left join (
  select distinct on (lower(email)) lower(email) as address, id, created_at
  from spree_users
  where deleted_at is null
  order by lower(email), id
) as account on o.user_id is null and account.address = address.text
where o.completed_at is not null
