"""Sessions, funnels and behaviour out of the clickstream: every 15 minutes.

What it is and how it is computed: src/shopmill/datasets/events_and_funnels/.
"""

from shopmill.airflow.dags import (
    dataset_dag,
    every_minutes,
    extract,
    notify,
    quality_check,
    register_metadata,
    save_artifact,
    transform,
)

with dataset_dag("events_and_funnels", schedule=every_minutes(15), priority=3) as dag:
    (
        extract("ingest")
        >> transform("sessionise")
        >> transform("session_funnel")
        >> transform("customer_behaviour")
        >> quality_check()
        >> save_artifact("events_and_funnels")
        >> register_metadata()
        >> notify()
    )
