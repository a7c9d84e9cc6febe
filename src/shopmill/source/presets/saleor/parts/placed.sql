-- Confirmed orders with the person behind each: an account, else the account that has the guest's address by now, else the guest.
select
  o.id, o.created_at, o.currency, o.status, greatest(o.updated_at, account.date_joined) as changed_at,
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
from order_order o
cross join lateral (select nullif(lower(trim(o.user_email)), '') as text) as address
left join (
  select distinct on (lower(email)) lower(email) as address, id, date_joined from account_user order by lower(email), id
) as account on o.user_id is null and account.address = address.text
where o.status not in ('draft', 'unconfirmed', 'expired')
