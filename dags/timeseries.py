"""Every article and category by day and week, gap-free, with lags and calendar: every night at 05:00, shop time.

What it is and how it is computed: src/shopmill/datasets/timeseries/.
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

with dataset_dag("timeseries", schedule=daily("05:00")) as dag:
    (
        extract("extract")
        >> transform("fill_gaps")
        >> transform("rolling_features")
        >> transform("calendar_flags")
        >> quality_check()
        >> save_artifact("timeseries")
        >> register_metadata()
        >> notify()
    )
