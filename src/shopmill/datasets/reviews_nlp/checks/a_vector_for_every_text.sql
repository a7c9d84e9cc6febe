select count(*) as violations
from reviews
full join embeddings on embeddings.review_id = reviews.review_id
where (reviews.text_clean is not null) <> (embeddings.review_id is not null)
