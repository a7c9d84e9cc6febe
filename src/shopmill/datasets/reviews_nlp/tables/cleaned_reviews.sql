-- Every review of the shop; the function cleans review_text.
select review_id, customer_id, article_id, product_code, rating, review_date, review_text, problem, source_day, source_row
from judged_reviews
