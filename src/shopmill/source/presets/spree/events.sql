-- Spree keeps no page views. Its carts, which are orders that were not completed yet, are what is known of a visit: what was put
-- in, and what was bought. A cart that belongs to nobody is a visitor.
select
  'cart-' || l.id as event_id,
  o.user_id::text as customer_id,
  case when o.user_id is null then 'cart-' || o.id end as visitor_id,
  l.variant_id::text as article_id,
  'add_to_cart' as event_type,
  l.created_at at time zone 'UTC' as event_datetime
from spree_line_items l
join spree_orders o on o.id = l.order_id
union all
select
  'purchase-' || l.id, o.user_id::text, case when o.user_id is null then 'cart-' || o.id end, l.variant_id::text, 'purchase',
  o.completed_at at time zone 'UTC'
from spree_line_items l
join spree_orders o on o.id = l.order_id and o.completed_at is not null
