select distinct user_agent
from session_events
where user_agent is not null
