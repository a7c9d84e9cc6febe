select count(*) as violations
from (select article_id, content_hash from articles_content__articles where is_active) as active
full join bert on bert.article_id = active.article_id and bert.text_hash = active.content_hash
where active.article_id is null or bert.article_id is null
