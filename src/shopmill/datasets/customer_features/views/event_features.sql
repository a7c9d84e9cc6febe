-- What customers did on the site in the 30 days before as_of.
with event_counts as (
  select
    customer_id,
    count(*) filter (where event_type = 'view') as n_views,
    count(*) filter (where event_type = 'click') as n_clicks,
    count(*) filter (where event_type = 'add_to_cart') as n_carts,
    count(*) filter (where event_type = 'purchase') as n_purchases,
    max(event_datetime) as last_seen
  from everyone
  left join (select * from recent_events where problem is null) as usable using (customer_id)
  group by customer_id
)
select
  customer_id,
  n_views as views_count_30d,
  n_clicks as clicks_count_30d,
  n_carts as carts_count_30d,
  n_purchases as purchases_count_30d,
  cast(n_carts as double) / nullif(cast(n_views as double), 0) as view_to_cart_rate_30d,
  cast(n_purchases as double) / nullif(cast(n_carts as double), 0) as cart_to_purchase_rate_30d,
  last_seen as last_seen_at_30d,
  date_diff('day', cast(last_seen at time zone $time_zone as date), $as_of) as days_since_last_seen_30d
from event_counts
