-- What each customer did in the sessions that started in each window before as_of, half-open to the microsecond.
-- Whole sessions: the edge of a window never parts a purchase from its views.
-- An incremental run counts the sessions of customers of touched visitors, as they are or were, and of those with a session
-- that fell out of a window; all others have the counts that they had.
with counted_customers as (
  select customer_id as counted_id
  from computed_sessions
  where not $is_full and customer_id is not null
  union all
  select customer_id
  from previous_sessions
  join touched_visitors on touched_visitors.visitor_key = previous_sessions.visitor_key and from_at <= started_at
  where not $is_full and session_day >= $since and customer_id is not null
  union all
  select customer_id
  from sessions
  where not $is_full
    and customer_id is not null
    and session_day >=
      cast($continued_at at time zone $time_zone as date) - interval {{ longest_window.hours }} hours - interval 1 day
    and (
      false
      {% for w in windows %}
      or started_at >= $continued_at - interval {{ w.hours }} hours and started_at < $as_of_at - interval {{ w.hours }} hours
      {% endfor %}
    )
),
-- A group per window: files of days before a short window are not read for it, which costs less than one pass with filters.
{% for w in windows %}
last_{{ w.name }} as (
  select
    customer_id,
    count(*) as session_count_{{ w.name }},
    {% for count in counts %}
    sum({{ count }}) as {{ count }}_{{ w.name }},
    {% endfor %}
    sum(purchase_value_sum) as purchase_value_sum_{{ w.name }},
    count(*) filter (where is_converted) as converted_session_count_{{ w.name }},
    max(ended_at) as ended_at_{{ w.name }}
  from sessions
  where customer_id is not null
    and ($include_bots or not is_bot)
    and session_day >= $as_of - interval {{ w.hours }} hours - interval 1 day
    and epoch_us($as_of_at) - epoch_us(started_at) <= {{ w.microseconds }}
    and ($is_full or customer_id in (select counted_id from counted_customers))
  group by customer_id
),
{% endfor %}
counted_behaviour as (
  select
    last_{{ longest_window.name }}.customer_id,
    ended_at_{{ longest_window.name }} as last_event_at,
    {% for w in windows %}
    {% for measure in measures %}
    coalesce({{ measure }}_{{ w.name }}, 0) as {{ measure }}_{{ w.name }},
    {% endfor %}
    add_to_cart_count_{{ w.name }} / nullif(view_count_{{ w.name }}, 0) as view_to_cart_rate_{{ w.name }},
    purchase_count_{{ w.name }} / nullif(add_to_cart_count_{{ w.name }}, 0) as cart_to_purchase_rate_{{ w.name }},
    converted_session_count_{{ w.name }} / nullif(session_count_{{ w.name }}, 0) as conversion_rate_{{ w.name }},
    {% endfor %}
  from last_{{ longest_window.name }}
  {% for w in shorter_windows %}
  left join last_{{ w.name }} on last_{{ w.name }}.customer_id = last_{{ longest_window.name }}.customer_id
  {% endfor %}
)
select *
from counted_behaviour
union all
select *
from previous_customer_behaviour
where not $is_full and customer_id not in (select counted_id from counted_customers)
