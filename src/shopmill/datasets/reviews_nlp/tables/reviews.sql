-- The usable reviews; the function adds language and sentiment. Of reviews with the same words the first is the original;
-- reviews without text have no words to share.
select
  review_id, customer_id, article_id, product_code, category, rating, review_date, text_clean, text_lower, n_chars, n_words,
  case when duplicate_key is not null then
    nullif(first_value(review_id) over (partition by duplicate_key order by review_date, review_id), review_id)
  end as duplicate_of
from categorised_reviews
where problem is null
