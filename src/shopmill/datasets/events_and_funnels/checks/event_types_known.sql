select
  coalesce(sum(n_events), 0) as violations,
  sum(n_events) || ' new events are of types that are not known, outside the funnel: ' || concat_ws(
    ', '
    {% for place in places %}
    , max(case when place = {{ place }} then word || ' ' || n_events end)
    {% endfor %}
  ) || '. Say what they mean with SHOPMILL_EVENT_VOCABULARY or SHOPMILL_EVENT_TYPES' as detail
from unknown_words
