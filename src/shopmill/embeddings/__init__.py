"""Vectors of texts as tables, and what is near to what."""
