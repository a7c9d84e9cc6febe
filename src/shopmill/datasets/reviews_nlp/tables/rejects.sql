-- The text of a reject is the cleaned one: a rejected review must not give away an address either.
select
  'reviews' as source_table,
  problem as reason,
  cast(review_date at time zone $time_zone as date) as source_day,
  to_json({
    'review_id': review_id, 'customer_id': customer_id, 'article_id': article_id,
    'rating': cast(rating as varchar), 'review_date': cast(epoch_us(review_date) as varchar), 'text_clean': text_clean
  }) as source_row
from judged_reviews
where problem is not null
