-- Every review with its category. `problem` says why it cannot be used here; of several usable ones with the same id the
-- first by time, and then in the order of all columns, is used.
with catalogue as (
  select article_id, product_code, index_group_name as category
  from judged_articles
  where problem is null
),
-- What a review without an article is of: its articles nearly always have one category.
catalogue_products as (
  select product_code, min(category) as category
  from catalogue
  where product_code is not null
  group by product_code
),
flawed_reviews as (
  select
    cleaned_reviews.review_id, cleaned_reviews.customer_id, cleaned_reviews.article_id,
    coalesce(cleaned_reviews.product_code, catalogue.product_code) as product_code,
    coalesce(catalogue.category, catalogue_products.category) as category,
    rating, review_date, text_clean, text_lower, n_chars, n_words, duplicate_key, problem, source_day, source_row,
    case
      when problem is not null then problem
      when n_chars between 1 and $min_chars - 1 then 'text is shorter than min_chars'
      when catalogue.article_id is null and catalogue_products.product_code is null and not $keep_unknown_articles
        then 'article is unknown'
    end as flaw
  from cleaned_reviews
  left join catalogue on catalogue.article_id = cleaned_reviews.article_id
  left join catalogue_products
    on cleaned_reviews.article_id is null and catalogue_products.product_code = cleaned_reviews.product_code
),
numbered as (
  select
    *,
    row_number() over (
      partition by review_id, flaw is null
      order by
        review_date nulls last, customer_id nulls last, article_id nulls last, rating nulls last, text_clean nulls last,
        product_code nulls last
    ) as place
  from flawed_reviews
)
select
  review_id, customer_id, article_id, product_code, category, rating, review_date,
  text_clean, text_lower, n_chars, n_words, duplicate_key,
  coalesce(flaw, case when place > 1 then 'review_id is repeated' end) as problem,
  source_day,
  -- With the cleaned text as one more field: a rejected review must not give away an address either.
  substr(source_row, 1, length(source_row) - 1) || ',' || substr(to_json({'text_clean': text_clean}), 2) as source_row
from numbered
