-- with placed, sold
-- What Oscar keeps of the visits: views by customers who are logged in, lines in baskets, and purchases. A basket that
-- belongs to nobody is a visitor.
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
  placed.customer_id,
  case when o.user_id is null then 'basket-' || o.basket_id end,
  sold.article_id,
  'purchase',
  placed.date_placed
from placed
join order_order o on o.id = placed.id
join sold on sold.order_id = placed.id
