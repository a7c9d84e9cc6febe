"""The ten nearest vectors: shopmill, pgvector, NumPy, usearch and LanceDB on the same ones.

`python -m benchmarks.nearest --vectors 105542` prints the tables, `make bench-nearest` writes them into docs/text.md.
"""
