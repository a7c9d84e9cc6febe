"""What happened next, as targets for models: every night at 06:00, shop time, when the features are there.

What it is and how it is computed: src/shopmill/datasets/training_labels/.
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

with dataset_dag("training_labels", schedule=daily("06:00")) as dag:
    (
        extract("extract")
        >> transform("transform")
        >> quality_check()
        >> save_artifact("training_labels")
        >> register_metadata()
        >> notify()
    )
