-- with placed, sold
-- Vendure keeps no page views. Its carts, which are orders that were not placed yet, are what is known of a visit: what was put in,
-- and what was bought. A cart of somebody without an account is a visitor, and stays one when that visitor makes an account: events
-- do not change.
with cart as (
  select
    o.id,
    case when u."createdAt" <= o."createdAt" then c.id::text end as customer_id,
    case when u."createdAt" <= o."createdAt" then null else 'cart-' || o.id end as visitor_id
  from "order" o
  left join customer c on c.id = o."customerId"
  left join "user" u on u.id = c."userId"
  where o.type <> 'Seller' and o.state <> 'Draft'
)
select
  'cart-' || l.id as event_id,
  cart.customer_id,
  cart.visitor_id,
  l."productVariantId"::text as article_id,
  'add_to_cart' as event_type,
  l."createdAt" at time zone 'UTC' as event_datetime
from order_line l
join cart on cart.id = l."orderId"
union all
select 'purchase-' || sold.id, cart.customer_id, cart.visitor_id, sold.article_id, 'purchase', placed.placed_at
from placed
join cart on cart.id = placed.id
join sold on sold.order_id = placed.id
