"""The settings of Celery for `AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS`: a worker imports once what its tasks need."""

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

from shopmill.airflow.preloading import LIBRARIES

PRELOADING = {**DEFAULT_CELERY_CONFIG, "imports": list(LIBRARIES)}
