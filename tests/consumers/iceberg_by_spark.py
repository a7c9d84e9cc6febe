"""Reads an Iceberg table with Spark, by the catalogue in SQLite: python iceberg_by_spark.py LAKE TABLE OUT TAG...

Leaves OUT/TAG.parquet for each tag. Runs in .venv-iceberg, which has the jars.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

JARS = Path(sys.prefix) / "jars"
CATALOGUE = {
    "": "org.apache.iceberg.spark.SparkCatalog",
    ".type": "jdbc",
    ".uri": "jdbc:sqlite:{lake}/catalogue.db",
    ".warehouse": "file://{lake}/warehouse",
}
SETTINGS = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}


def session(lake: Path) -> SparkSession:
    catalogue = {f"spark.sql.catalog.shopmill{name}": value.format(lake=lake) for name, value in CATALOGUE.items()}
    builder = SparkSession.builder.master("local[2]").config("spark.jars", ",".join(map(str, JARS.glob("*.jar"))))
    for name, value in (SETTINGS | catalogue).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main(lake: Path, table: str, out: Path, tags: list[str]) -> None:
    spark = session(lake)
    for tag in tags:
        rows = spark.sql(f"select * from shopmill.{table} version as of '{tag}'")
        rows.coalesce(1).write.parquet(f"{out / tag}.parquet")
    print(f"pyspark {spark.version}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
