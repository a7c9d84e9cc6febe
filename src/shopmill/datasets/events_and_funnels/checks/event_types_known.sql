select count(*) as violations, count(*) || ' new events of types that are not known, such as ' || min(event_type) as detail
from session_events
where event_type not in ('view', 'click', 'add_to_cart', 'remove_from_cart', 'checkout', 'purchase')
