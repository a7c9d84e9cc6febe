"""The pool of the shop's database, by name: importing this imports no Airflow."""

SOURCE_POOL = "shopmill_source"
"""Bounds how many tasks read the shop's database at once; `shopmill airflow-setup` makes it."""
