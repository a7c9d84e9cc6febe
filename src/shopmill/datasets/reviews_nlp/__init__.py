"""The dataset reviews_nlp."""
