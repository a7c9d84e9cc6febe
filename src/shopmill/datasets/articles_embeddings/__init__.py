"""The dataset articles_embeddings."""
