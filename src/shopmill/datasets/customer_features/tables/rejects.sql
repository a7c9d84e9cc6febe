select
  'customers' as source_table, problem as reason, cast(null as date) as source_day,
  to_json({
    'customer_id': customer_id, 'FN': cast("FN" as varchar), 'Active': cast("Active" as varchar),
    'club_member_status': club_member_status, 'fashion_news_frequency': fashion_news_frequency,
    'age': cast(age_given as varchar), 'postal_code': postal_code
  }) as source_row
from checked_customers
where problem is not null
union all
select
  'customers', 'age is outside 0..120, taken as unknown', cast(null as date),
  to_json({'customer_id': customer_id, 'age': cast(age_given as varchar)})
from checked_customers
where problem is null and age_given is not null and age is null
union all
select
  'transactions', problem, t_dat,
  to_json({
    't_dat': cast(t_dat as varchar), 'customer_id': customer_id, 'article_id': article_id,
    'price': cast(price as varchar), 'sales_channel_id': cast(sales_channel_id as varchar)
  })
from checked_transactions
where problem is not null
union all
select
  'orders', problem, day,
  to_json({
    'order_id': order_id, 'customer_id': customer_id, 'order_datetime': cast(epoch_us(order_datetime) as varchar),
    'order_status': order_status
  })
from checked_orders
where problem is not null
union all
select
  'order_items', problem, day,
  to_json({
    'order_id': order_id, 'article_id': article_id, 'quantity': cast(quantity as varchar), 'price': cast(price as varchar)
  })
from checked_order_items
where problem is not null
union all
select
  'events', problem, day,
  to_json({
    'event_id': event_id, 'customer_id': customer_id, 'event_type': event_type,
    'event_datetime': cast(epoch_us(event_datetime) as varchar)
  })
from checked_events
where problem is not null
