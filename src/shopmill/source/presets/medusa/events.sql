-- with person, placed, sold
-- Medusa keeps no page views. Its carts are what is known of a visit: what was put in and taken out, and what was bought. A cart
-- of somebody without an account is a visitor, and stays one when that visitor makes an account: events do not change.
with cart_of as (
  select
    cart.id, cart.completed_at,
    case when c.has_account then person.customer_id end as customer_id,
    case when not coalesce(c.has_account, false) then cart.id end as visitor_id
  from cart
  left join customer c on c.id = cart.customer_id
  left join person on person.customer_row = c.id
)
select
  'cart-' || line.id as event_id,
  cart_of.customer_id,
  cart_of.visitor_id,
  line.variant_id as article_id,
  'add_to_cart' as event_type,
  line.created_at as event_datetime
from cart_line_item line
join cart_of on cart_of.id = line.cart_id
union all
select 'out-' || line.id, cart_of.customer_id, cart_of.visitor_id, line.variant_id, 'remove_from_cart', line.deleted_at
from cart_line_item line
join cart_of on cart_of.id = line.cart_id and cart_of.completed_at is null
where line.deleted_at is not null
union all
select 'purchase-' || sold.id, cart_of.customer_id, cart_of.visitor_id, sold.article_id, 'purchase', sold.created_at
from sold
join order_cart link on link.order_id = sold.order_id and link.deleted_at is null
join cart_of on cart_of.id = link.cart_id
