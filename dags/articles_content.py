"""Every article with its text, its history and what changed in the catalogue: every night at 03:00, shop time.

What it is and how it is computed: src/shopmill/datasets/articles_content/.
"""

from shopmill.airflow.dags import (
    daily_announcing,
    dataset_dag,
    extract,
    notify,
    quality_check,
    register_metadata,
    save_artifact,
    transform,
)

with dataset_dag("articles_content", schedule=daily_announcing("03:00"), priority=2) as dag:
    (
        extract("extract")
        >> transform("validate")
        >> transform("normalise")
        >> transform("catalogue_change")
        >> quality_check()
        >> save_artifact("articles_content")
        >> register_metadata()
        >> notify()
    )
