-- Orders with the person behind each: an account, else the account that has the guest's address by now, else the guest.
select
  o.id, o.date_placed, o.currency, o.status,
  coalesce(
    coalesce(o.user_id, account.id)::text,
    'guest-' || encode(
      sha256(
        decode(nullif(current_setting('shopmill.pseudonym_outer_key', true), ''), 'hex')
        || sha256(decode(nullif(current_setting('shopmill.pseudonym_inner_key', true), ''), 'hex') || convert_to(address.text, 'UTF8'))
      ),
      'hex'
    )
  ) as customer_id,
  greatest(
    o.date_placed,
    account.date_joined,
    (select max(s.date_created) from order_orderstatuschange s where s.order_id = o.id),
    (select max(e.date_created) from order_shippingevent e where e.order_id = o.id)
  ) as changed_at
from order_order o
cross join lateral (select nullif(lower(trim(o.guest_email)), '') as text) as address
left join (
  select distinct on (lower(email)) lower(email) as address, id, date_joined from auth_user order by lower(email), id
) as account on o.user_id is null and account.address = address.text
