"""Publishes the Complete Journey for the tests of the consumers: python publish.py FOLDER. What is there already stays."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import completejourney
from shopmill.shops.postgres import EmbeddedPostgres

MONTHS = tuple(f"2017-{month:02d}-01" for month in range(6, 11))
MONTHS_LATER = ("2017-07-01", "2017-07-31", "2017-08-31", "2017-10-01", "2017-10-31")
"""30 days after each."""
VERSIONS = (
    *(("user_item_interactions", as_of) for as_of in ("2017-12-18", "2017-12-25", "2018-01-01")),
    *(("timeseries", as_of) for as_of in ("2017-12-04", "2018-01-01")),
    *(("customer_features", as_of) for as_of in (*MONTHS, "2018-01-01")),
    *(("training_labels", as_of) for as_of in (*MONTHS_LATER, "2018-01-01")),
    ("articles_content", "2018-01-01"),
)


def missing(store: str) -> list[tuple[str, str]]:
    def is_there(dataset: str, as_of: str) -> bool:
        try:
            shopmill.load(dataset, as_of, store)
        except InvalidInputError:
            return False
        return True

    return [one for one in VERSIONS if not is_there(*one)]


def main(store: str) -> None:
    if not (due := missing(store)):
        return
    with shop_and_registry() as (shop, registry):
        completejourney.load(shop)
        settings = Settings(store=store, source_dsn=shop, registry_dsn=registry, time_zone=completejourney.TIME_ZONE)
        for dataset, as_of in due:
            print(f"{dataset} as of {as_of}", flush=True)
            steps.run_all(Run.create(datasets.load(dataset), as_of, settings))


@contextmanager
def shop_and_registry() -> Iterator[list[str]]:
    """The connection strings of two empty databases of a server of their own."""
    with tempfile.TemporaryDirectory(prefix="shopmill-postgres-") as folder:
        Path(folder).chmod(0o711)  # the server of a root user runs as nobody
        with EmbeddedPostgres(Path(folder)) as server:
            server.ensure_role("publisher")
            for name in ("shop", "registry"):
                server.ensure_database(name, owner="publisher")
            yield [server.dsn(name, "publisher") for name in ("shop", "registry")]


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
