select
  (select count(*) - count(distinct customer_index) + max(customer_index) + 1 - count(*) from customer_index)
  + (select count(*) - count(distinct article_index) + max(article_index) + 1 - count(*) from article_index) as violations
