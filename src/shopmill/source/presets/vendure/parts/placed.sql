-- Orders that were placed, but for the copies that go to the sellers of a marketplace. Times are in the zone of the process that
-- wrote them: a server runs in UTC.
select
  o.id, o."orderPlacedAt" at time zone 'UTC' as placed_at, o.state, o."currencyCode" as currency,
  greatest(o."orderPlacedAt", o."updatedAt", account."createdAt") at time zone 'UTC' as changed_at,
  coalesce(
    account.id::text,
    'guest-' || encode(
      sha256(
        decode(nullif(current_setting('shopmill.pseudonym_outer_key', true), ''), 'hex')
        || sha256(decode(nullif(current_setting('shopmill.pseudonym_inner_key', true), ''), 'hex') || convert_to(address.text, 'UTF8'))
      ),
      'hex'
    )
  ) as customer_id
from "order" o
left join customer c on c.id = o."customerId"
cross join lateral (select nullif(lower(trim(c."emailAddress")), '') as text) as address
left join (
  select distinct on (lower(trim(a."emailAddress"))) lower(trim(a."emailAddress")) as address, a.id, u."createdAt"
  from customer a
  join "user" u on u.id = a."userId"
  order by lower(trim(a."emailAddress")), a."deletedAt" is not null, a.id
) as account on account.address = address.text
where o."orderPlacedAt" is not null and o.type <> 'Seller'
