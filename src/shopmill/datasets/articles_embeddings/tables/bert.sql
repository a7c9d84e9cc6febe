-- The texts of the catalogue; the function adds their vectors.
select article_id, content_text as text from articles_content__articles where is_active
