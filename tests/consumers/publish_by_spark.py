"""Publishes a small synthetic shop, computed by Spark: python publish_by_spark.py FOLDER AS_OF... Runs in .venv, with Java."""

import sys
import tempfile
from pathlib import Path

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic
from shopmill.shops.postgres import EmbeddedPostgres

DATASET, SCALE = "user_item_interactions", 0.0005


def main(store: str, as_ofs: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="shopmill-postgres-") as folder:
        Path(folder).chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(Path(folder)) as server:
            server.ensure_role("publisher")
            for name in ("shop", "registry"):
                server.ensure_database(name, owner="publisher")
            shop, registry = (server.dsn(name, "publisher") for name in ("shop", "registry"))
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
