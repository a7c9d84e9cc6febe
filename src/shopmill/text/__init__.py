"""Text: cleaning, language, sentiment, TF-IDF, sentence embeddings and the vector index.

Functions from Arrow arrays to Arrow batches; nothing here knows a dataset, the engine or Airflow.
"""
