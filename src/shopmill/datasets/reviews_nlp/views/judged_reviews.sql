-- Every review with its category. `problem` says why it cannot be used; of several usable ones with the same id the
-- first by time, and then in the order of all columns, is used.
with catalogue as (
  select article_id, min(index_group_name) as category from articles where article_id is not null group by article_id
),
judged as (
  select
    cleaned_reviews.*,
    catalogue.category,
    case
      when review_id is null then 'review_id is null'
      when trim(review_id) = '' then 'review_id is empty'
      when review_date is null then 'review_date is null'
      when rating is null then 'rating is null'
      when rating not between 1 and 5 then 'rating is outside 1 to 5'
      when n_chars between 1 and $min_chars - 1 then 'text is shorter than min_chars'
      when catalogue.article_id is null and not $keep_unknown_articles then 'article is unknown'
    end as flaw
  from cleaned_reviews
  left join catalogue on catalogue.article_id = cleaned_reviews.article_id
),
numbered as (
  select
    *,
    row_number() over (
      partition by review_id, flaw is null
      order by
        review_date nulls last, customer_id nulls last, article_id nulls last, rating nulls last, text_clean nulls last
    ) as place
  from judged
)
select
  review_id, customer_id, article_id, category, rating, review_date,
  text_clean, text_lower, n_chars, n_words, duplicate_key,
  coalesce(flaw, case when place > 1 then 'review_id is repeated' end) as problem
from numbered
