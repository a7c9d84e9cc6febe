select
  violations,
  'none of the ' || violations || ' events is of a known type, so every funnel would be empty; there are '
    || coalesce(words, 'none but those that are said to be other')
    || '. Say what they mean with SHOPMILL_EVENT_VOCABULARY or SHOPMILL_EVENT_TYPES (docs/trackers.md)' as detail
from (
  select
    (select case when sum(other_event_count) = sum(event_count) then sum(event_count) else 0 end from funnel_daily) as violations,
    (
      select nullif(concat_ws(
        ', '
        {% for place in places %}
        , max(case when place = {{ place }} then word || ' ' || n_events end)
        {% endfor %}
      ), '')
      from unknown_words
    ) as words
) as counted
