"""What was published, how it changed and whether to trust it: pages for people, in Airflow's UI or as files."""
