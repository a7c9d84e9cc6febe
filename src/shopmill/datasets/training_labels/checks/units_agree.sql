-- Units without a customer are in the articles' sum alone.
select
  case when by_article = by_pair + by_guests then 0 else 1 end as violations,
  by_article || ' by article, ' || by_pair || ' by customer and article, ' || by_guests || ' without a customer' as detail
from (
  select
    (select coalesce(sum(value), 0) from article_labels where label = 'article_units_7d') as by_article,
    (select coalesce(sum(value), 0) from customer_article_labels where label = 'next_basket_7d') as by_pair,
    (select coalesce(sum(quantity), 0) from bought_lines where customer_id is null and date_diff('day', day, $as_of) <= 7) as by_guests
) as sums
