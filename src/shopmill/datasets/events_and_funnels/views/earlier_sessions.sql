-- The sessions of the previous version, each with the place of its first event among events of its instant; none where
-- everything is computed.
select
  *,
  concat(
    case first_event_type
      {% for step in ordered_types %}
      when '{{ step.name }}' then '{{ step.place }}'
      {% endfor %}
      else '7'
    end,
    first_event_id
  ) as first_place
from previous_sessions
where not $is_full
