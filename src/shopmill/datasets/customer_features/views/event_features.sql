-- What customers did on the site in each window before as_of.
with event_counts as (
  select
    {% for w in event_windows %}
    count(*) filter (where {{ w.holds }} and event_type = 'view') as n_views_{{ w.name }},
    count(*) filter (where {{ w.holds }} and event_type = 'click') as n_clicks_{{ w.name }},
    count(*) filter (where {{ w.holds }} and event_type = 'add_to_cart') as n_carts_{{ w.name }},
    count(*) filter (where {{ w.holds }} and event_type = 'purchase') as n_purchases_{{ w.name }},
    max(event_datetime) filter (where {{ w.holds }}) as last_seen_{{ w.name }},
    {% endfor %}
    customer_id
  from everyone
  left join (select * from recent_events where problem is null) as usable using (customer_id)
  group by customer_id
)
select
  {% for w in event_windows %}
  n_views_{{ w.name }} as views_count_{{ w.name }},
  n_clicks_{{ w.name }} as clicks_count_{{ w.name }},
  n_carts_{{ w.name }} as carts_count_{{ w.name }},
  n_purchases_{{ w.name }} as purchases_count_{{ w.name }},
  cast(n_carts_{{ w.name }} as double) / nullif(cast(n_views_{{ w.name }} as double), 0) as view_to_cart_rate_{{ w.name }},
  cast(n_purchases_{{ w.name }} as double) / nullif(cast(n_carts_{{ w.name }} as double), 0) as cart_to_purchase_rate_{{ w.name }},
  last_seen_{{ w.name }} as last_seen_at_{{ w.name }},
  date_diff('day', cast(last_seen_{{ w.name }} at time zone $time_zone as date), $as_of) as days_since_last_seen_{{ w.name }},
  {% endfor %}
  customer_id
from event_counts
