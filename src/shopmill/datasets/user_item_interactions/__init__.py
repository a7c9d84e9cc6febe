"""user_item_interactions: what each customer did with each article."""
