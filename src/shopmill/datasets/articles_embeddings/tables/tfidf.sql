select article_id, content_text as text from articles_content__articles where is_active
