-- The promotions of as_of and later, as the shop plans them: what is known ahead. No series depends on them.
select distinct article_id, product_group_name, greatest(starts_on, $as_of) as starts_on, ends_on, kind
from judged_promotions
where problem is null and (ends_on is null or ends_on >= $as_of)
