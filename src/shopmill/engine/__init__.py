"""What runs the SQL: DuckDB or Spark behind one protocol, and the statements made of a dataset's SQL files."""
