"""Damage in the store: every Sunday at 00:00, shop time, all versions and all raw files are compared with their hashes.

A run with a difference fails, and people are notified of what differs and how to repair it. What is compared and how:
src/shopmill/trust/verify.py.
"""

from shopmill.airflow.dags import weekly
from shopmill.airflow.upkeep import upkeep_dag, verify

with upkeep_dag("verify", schedule=weekly("00:00", weekday="0"), doc=__doc__) as dag:
    verify()
