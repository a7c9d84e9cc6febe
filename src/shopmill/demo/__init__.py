"""The demonstration: a real shop, a database and Airflow, started by one command."""
