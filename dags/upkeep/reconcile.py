"""Old days that were changed or deleted in the shop: every Saturday at 22:00, shop time, before the runs of the week.

What is compared and how: src/shopmill/source/reconcile.py. The next run of each dataset computes what has changed.
"""

from shopmill.airflow.dags import weekly
from shopmill.airflow.upkeep import reconcile, upkeep_dag

with upkeep_dag("reconcile", schedule=weekly("22:00", weekday="6"), doc=__doc__) as dag:
    reconcile()
