select count(*) as violations
from reviews
full join embeddings on embeddings.review_id = reviews.review_id
where reviews.review_id is null or embeddings.review_id is null
