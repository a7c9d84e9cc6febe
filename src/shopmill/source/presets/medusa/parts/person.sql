-- Medusa makes a customer of every checkout's e-mail, and another one when a guest registers. One address is one person: the
-- account that has it, else the keyed hash of the address (null without SHOPMILL_PSEUDONYM_KEY).
select
  c.id as customer_row,
  coalesce(
    account.id,
    'guest-' || encode(
      sha256(
        decode(nullif(current_setting('shopmill.pseudonym_outer_key', true), ''), 'hex')
        || sha256(decode(nullif(current_setting('shopmill.pseudonym_inner_key', true), ''), 'hex') || convert_to(address.text, 'UTF8'))
      ),
      'hex'
    )
  ) as customer_id,
  account.created_at as registered_at
from customer c
cross join lateral (select nullif(lower(trim(c.email)), '') as text) as address
left join (
  select distinct on (lower(trim(email))) lower(trim(email)) as address, id, created_at
  from customer
  where has_account
  order by lower(trim(email)), deleted_at is not null, created_at, id
) as account on account.address = address.text
