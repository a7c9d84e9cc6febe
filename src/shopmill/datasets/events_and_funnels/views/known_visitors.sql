-- As which customer the visitor_id of a touched visitor was last known before the sessions that are computed. In none but
-- the mode `visitor` it does not matter.
select visitor_key, customer_id as known_customer
from earlier_sessions
join touched_visitors using (visitor_key)
where $stitching = 'visitor'
  and identified_by = 'login'
  and starts_with(visitor_key, 'visitor_id:')
  and (started_at < from_at or started_at = from_at and first_place < from_place)
qualify row_number() over (partition by visitor_key order by started_at desc, first_place desc) = 1
