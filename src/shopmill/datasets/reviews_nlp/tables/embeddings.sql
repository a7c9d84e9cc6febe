-- A review without text has no vector.
select review_id, text_clean as text from reviews where text_clean is not null
