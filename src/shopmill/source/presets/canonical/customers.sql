select
  customer_id, "FN", "Active", club_member_status, fashion_news_frequency, age, postal_code
from customers
