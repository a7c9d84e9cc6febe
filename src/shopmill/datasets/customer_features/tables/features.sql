-- One row per customer: each theme has a view of its own.
select *
from everyone
left join (
  select customer_id, "FN", "Active", club_member_status, fashion_news_frequency, postal_code, attributes,
    case when age between 0 and 120 then age end as age
  from judged_customers
  where problem is null and not registers_later
) as demographics using (customer_id)
join transaction_features using (customer_id)
join variety_features using (customer_id)
join taste_features using (customer_id)
join order_features using (customer_id)
join event_features using (customer_id)
left join clv_features using (customer_id)
left join rfm using (customer_id)
