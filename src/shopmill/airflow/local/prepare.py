"""What a new database of Airflow needs, in one process: Airflow's tables, then what `shopmill airflow-setup` makes.

Two commands would do the same, and import Airflow twice.
"""

import sys

from shopmill.airflow.component import run_airflow
from shopmill.airflow.setup import ensure_pool, ensure_roles

if __name__ == "__main__":
    sys.argv = ["airflow", "db", "migrate"]
    run_airflow()
    ensure_pool(None)
    ensure_roles()
