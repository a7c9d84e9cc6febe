select count(*) as violations
from reviews as copies
left join reviews as originals on originals.review_id = copies.duplicate_of
where copies.duplicate_of is not null
  and (originals.review_id is null or originals.duplicate_of is not null)
