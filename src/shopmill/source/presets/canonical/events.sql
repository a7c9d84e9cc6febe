select
  event_id, session_id, customer_id, article_id, event_type, event_value, event_datetime
from events
