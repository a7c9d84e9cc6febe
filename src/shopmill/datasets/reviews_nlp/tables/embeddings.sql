select review_id, text_clean as text from reviews
