-- with sold
-- What Oscar keeps of the visits: views by customers who are logged in, lines in baskets, and purchases. A basket that belongs to
-- nobody is a visitor, and stays one when that visitor makes an account: events do not change.
select
  'view-' || v.id as event_id,
  v.user_id::text as customer_id,
  null::text as visitor_id,
  v.product_id::text as article_id,
  'view' as event_type,
  v.date_created as event_datetime
from analytics_userproductview v
union all
select
  'cart-' || l.id,
  b.owner_id::text,
  case when b.owner_id is null then 'basket-' || b.id end,
  l.product_id::text,
  'add_to_cart',
  l.date_created
from basket_line l
join basket_basket b on b.id = l.basket_id
union all
select
  'purchase-' || sold.id,
  o.user_id::text,
  case when o.user_id is null then 'basket-' || coalesce(o.basket_id::text, 'of-order-' || o.id) end,
  sold.article_id,
  'purchase',
  o.date_placed
from order_order o
join sold on sold.order_id = o.id
