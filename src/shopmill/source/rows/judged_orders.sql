-- The orders, each once: of several rows the earliest counts. An order without a customer is a guest's.
with flawed_{{ source }}orders as (
  select
    *,
    coalesce(contains($cancelled_statuses, '|' || lower(order_status) || '|'), false) as is_cancelled,
    cast(order_datetime at time zone $time_zone as date) as ordered_on,
    case
      when order_id is null then 'order_id is null'
      when order_datetime is null then
        coalesce(
          'order_datetime does not fit timestamptz: ' || json_extract_string(misfits, '$.order_datetime'),
          'order_datetime is null'
        )
      when cast(order_datetime at time zone $time_zone as date) < $first_day
        then 'order_datetime is before first_day, ' || cast($first_day as varchar)
    end as flaw
  from {{ source }}orders
)
select
  order_id, customer_id, order_datetime, order_status, currency, changed_at, misfits, is_cancelled,
  coalesce(
    flaw,
    case
      when row_number() over (
        partition by order_id, flaw is null
        order by order_datetime, customer_id is null, customer_id, order_status, currency
      ) > 1 then 'order_id repeats'
    end
  ) as problem,
  ordered_on as source_day,
  to_json({
    'order_id': order_id, 'customer_id': customer_id,
    'order_datetime': coalesce(cast(epoch_us(order_datetime) as varchar), json_extract_string(misfits, '$.order_datetime')),
    'order_status': order_status, 'currency': currency
  }) as source_row
from flawed_{{ source }}orders
