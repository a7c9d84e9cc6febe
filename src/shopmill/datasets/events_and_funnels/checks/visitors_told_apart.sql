-- A visitor with more than half of the new events (of 1,000 or of 3 customers and more), or with more than 10 customers.
with events_of_visitors as (
  select visitor_key, count(*) as n_events, count(distinct customer_id) as n_customers
  from session_events
  group by visitor_key
),
shared as (
  select *, sum(n_events) over () as n_all
  from events_of_visitors
)
select
  count(*) as violations,
  max_by(visitor_key, n_events) || ' has ' || max(n_events) || ' of ' || max(n_all) || ' new events ('
    || 100 * max(n_events) // max(n_all) || ' %), of ' || max_by(n_customers, n_events)
    || ' customers: if it stands for many people, select null in its place' as detail
from shared
where n_customers > 10
  or n_events > 1 and lower(substr(visitor_key, position(':' in visitor_key) + 1)) in ({% for word in stand_ins %}'{{ word }}', {% endfor %}'')
  or n_events * 2 > n_all and (n_events >= 1000 or n_customers >= 3)
