"""Everything that knows Airflow: a local Airflow for demos and tests, and the announcements of runs."""
