select coalesce(sum(change), 0) as value from altered_events where change > 0
