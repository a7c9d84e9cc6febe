"""Reviews with clean text, language, sentiment and embeddings: every night at 01:00, shop time.

What it is and how it is computed: src/shopmill/datasets/reviews_nlp/.
"""

from shopmill.airflow.dags import (
    daily,
    dataset_dag,
    embed,
    extract,
    notify,
    quality_check,
    register_metadata,
    save_artifact,
    transform,
)

with dataset_dag("reviews_nlp", schedule=daily("01:00")) as dag:
    (
        extract("extract")
        >> transform("text_cleaning")
        >> transform("quality_checks")
        >> transform("baseline_sentiment")
        >> embed("bert_embeddings")
        >> quality_check()
        >> save_artifact("reviews_nlp")
        >> register_metadata()
        >> notify()
    )
