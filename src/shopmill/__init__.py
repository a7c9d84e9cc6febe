"""Versioned, checked, reproducible machine-learning datasets out of a shop's PostgreSQL."""
