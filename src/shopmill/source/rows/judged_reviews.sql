-- The reviews. Their text is not in source_row: a rejected review must not give away an address either.
select
  *,
  case
    when review_id is null then 'review_id is null'
    when trim(review_id) = '' then 'review_id is empty'
    when review_date is null then
      coalesce('review_date does not fit timestamptz: ' || json_extract_string(misfits, '$.review_date'), 'review_date is null')
    when rating is null then
      coalesce('rating does not fit integer: ' || json_extract_string(misfits, '$.rating'), 'rating is null')
    when rating not between 1 and 5 then 'rating is outside 1 to 5'
  end as problem,
  cast(review_date at time zone $time_zone as date) as source_day,
  to_json({
    'review_id': review_id, 'customer_id': customer_id, 'article_id': article_id, 'product_code': product_code,
    'rating': coalesce(cast(rating as varchar), json_extract_string(misfits, '$.rating')),
    'review_date': coalesce(cast(epoch_us(review_date) as varchar), json_extract_string(misfits, '$.review_date'))
  }) as source_row
from {{ source }}reviews
