-- with placed, sold
-- What was ordered; and what was taken out of an order or sent back, on the day of the stock movement that says so, unless the
-- whole order was cancelled. Changing an order books everything out and in again: only the difference came back.
with back as (
  select
    m."orderLineId" as line_id,
    m."createdAt" at time zone 'UTC' as moved_at,
    sum(case m.type when 'ALLOCATION' then -m.quantity else m.quantity end) as units
  from stock_movement m
  where m.type in ('CANCELLATION', 'RELEASE', 'ALLOCATION')
  group by m."orderLineId", m."createdAt"
)
select
  placed.id::text as order_id,
  sold.article_id,
  sold.quantity,
  sold.price,
  null::timestamptz as item_datetime,
  placed.changed_at
from placed
join sold on sold.order_id = placed.id
union all
select
  placed.id::text,
  sold.article_id,
  -back.units,
  sold.price,
  back.moved_at,
  greatest(back.moved_at, placed.changed_at)
from back
join sold on sold.id = back.line_id
join placed on placed.id = sold.order_id
where back.units > 0 and placed.state <> 'Cancelled'
