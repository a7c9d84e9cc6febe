"""Publishes a small synthetic shop, computed by Spark: python publish_by_spark.py FOLDER AS_OF... Runs in .venv, with Java."""

import sys

from publish import shop_and_registry

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic

DATASET, SCALE = "user_item_interactions", 0.0005


def main(store: str, as_ofs: list[str]) -> None:
    with shop_and_registry() as (shop, registry):
        synthetic.load(shop, SCALE)
        settings = Settings(
            _env_file=None,
            store=store,
            source_dsn=shop,
            registry_dsn=registry,
            engine="spark",
            spark_master="local[2]",
            memory_limit="1GB",
        )
        for as_of in as_ofs:
            steps.run_all(Run.create(datasets.load(DATASET), as_of, settings))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
