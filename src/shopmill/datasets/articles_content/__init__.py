"""articles_content: the shop's catalogue, ready for models, with its history."""
