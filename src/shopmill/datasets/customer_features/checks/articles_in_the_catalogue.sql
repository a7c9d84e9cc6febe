select
  count(distinct transactions.article_id) as violations,
  count(distinct transactions.article_id) || ' articles that were bought are not in the catalogue' as detail
from transactions
left join judged_articles as articles on articles.article_id = transactions.article_id and articles.problem is null
where transactions.article_id is not null and articles.article_id is null
