"""What each customer did with each article: every night at 02:00, shop time.

What it is and how it is computed: src/shopmill/datasets/user_item_interactions/.
"""

from shopmill.airflow.dags import (
    daily,
    dataset_dag,
    extract,
    notify,
    quality_check,
    register_metadata,
    save_artifact,
    transform,
)

with dataset_dag("user_item_interactions", schedule=daily("02:00")) as dag:
    (
        extract("extract")
        >> transform("transform")
        >> quality_check()
        >> save_artifact("user_item_interactions")
        >> register_metadata()
        >> notify()
    )
