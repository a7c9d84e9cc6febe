select
  review_id, customer_id, article_id, rating, review_text, review_date
from reviews
