"""What is known of every customer: windows, RFM and lifetime-value inputs. Every night at 04:00, shop time.

What it is and how it is computed: src/shopmill/datasets/customer_features/.
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

with dataset_dag("customer_features", schedule=daily("04:00")) as dag:
    (
        [
            extract("extract_demographics"),
            extract("extract_transactions"),
            extract("extract_orders"),
            extract("extract_events"),
        ]
        >> transform("join_and_rfm")
        >> quality_check()
        >> save_artifact("customer_features")
        >> register_metadata()
        >> notify()
    )
