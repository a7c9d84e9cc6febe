"""Shops to try shopmill on: an embedded PostgreSQL, a real grocery shop, and a synthetic one of any size."""
