"""Embeddings, TF-IDF and the vector index of all articles: when texts changed, and every Sunday at 04:00, shop time.

What it is and how it is computed: src/shopmill/datasets/articles_embeddings/.
"""

from shopmill.airflow.dags import (
    dataset_dag,
    embed,
    extract,
    notify,
    quality_check,
    register_metadata,
    save_artifact,
    transform,
    weekly_or_announced,
)

with dataset_dag("articles_embeddings", schedule=weekly_or_announced("04:00", "articles_texts")) as dag:
    (
        extract("load_artifact")
        >> transform("tfidf")
        >> embed("bert_embeddings")
        >> quality_check()
        >> save_artifact("articles_embeddings")
        >> register_metadata()
        >> notify()
    )
