"""A person who is erased is nowhere any more, does not come back, and everything else is as it was."""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import shopmill
from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import ConflictError, InvalidInputError, ShopmillError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.erasure.erase import Erasure
from shopmill.trust.rebuild import rebuild
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

ANNA, MAIL = "customer-anna-7", "anna@example.org"
TEXT = "The wool coat that I wear to the lighthouse every morning is splendid"
THEIRS = (
    ANNA,
    MAIL,
    TEXT,
    "order-anna-1",
    "device-anna",
    "tracked-anna",
    "review-anna-1",
    "Lighthouse Lane",
    TEXT.lower(),
)
KEY = SecretStr("only the shop knows")
DAYS = ("2020-09-22", "2020-09-23")
ORDERED = (
    "user_item_interactions",
    "customer_features",
    "events_and_funnels",
    "timeseries",
    "articles_content",
    "training_labels",
)
"""Datasets that need no sentence model."""


def shop_rows() -> dict[str, list[dict[str, Any]]]:
    others = [f"customer-{number}" for number in range(5)]
    people = [ANNA, *others]
    return {
        "customers": [{"customer_id": person, "age": 30 + place} for place, person in enumerate(people)],
        "articles": [
            {"article_id": str(n), "detail_desc": f"a thing {n}", "index_group_name": "All"} for n in range(3)
        ],
        "transactions": [
            {"t_dat": f"2020-09-{day:02}", "customer_id": person, "article_id": str(day % 3), "price": 10 + place}
            for day in range(1, 23)
            for place, person in enumerate(people)
            if day % (place + 1) == 0
        ]
        + [{"t_dat": "2020-09-20", "customer_id": ANNA, "article_id": "1", "price": -5}],
        "orders": [
            {"order_id": "order-anna-1", "customer_id": ANNA, "order_datetime": "2020-09-20T10:00:00Z"},
            {"order_id": "order-1", "customer_id": others[0], "order_datetime": "2020-09-20T11:00:00Z"},
        ],
        "order_items": [
            {"order_id": order, "article_id": "1", "quantity": 1, "price": 10} for order in ("order-anna-1", "order-1")
        ]
        + [{"order_id": "order-anna-1", "article_id": "1", "quantity": -3, "price": 10}],
        "events": [
            event("e1", None, "device-anna", "tracked-anna", "2020-09-20T09:00:00Z"),
            event("e2", ANNA, "device-anna", "tracked-anna", "2020-09-20T09:05:00Z"),
            event("e3", ANNA, "shared-device", None, "2020-09-20T10:05:00Z"),
            event("e4", others[0], "shared-device", None, "2020-09-20T12:05:00Z"),
            event("e5", others[1], "device-1", None, "2020-09-21T12:05:00Z"),
            event(None, ANNA, "device-anna", "tracked-anna", "2020-09-21T09:00:00Z"),
        ],
        "reviews": [
            review("review-anna-1", ANNA, TEXT, "2020-09-20T09:00:00Z"),
            review("review-anna-2", ANNA, "Good value, would buy it again", "2020-09-20T09:10:00Z"),
            review("review-2", others[0], "Good value, would buy it again", "2020-09-21T09:00:00Z"),
            review("review-3", others[1], "Good value, would buy it again", "2020-09-21T10:00:00Z"),
            review("review-4", others[2], "It fell apart in a week", "2020-09-21T11:00:00Z"),
        ],
    }


def event(event_id: str | None, customer: str | None, visitor: str, session: str | None, at: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "customer_id": customer,
        "visitor_id": visitor,
        "session_id": session,
        "article_id": "1",
        "event_type": "view",
        "event_datetime": at,
    }


def review(review_id: str, customer: str, text: str, at: str) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "customer_id": customer,
        "article_id": "1",
        "rating": 5,
        "review_text": text,
        "review_date": at,
    }


@pytest.fixture(scope="module")
def keyed(
    new_shop: Callable[[], str],
    database: Callable[[], str],
    encoder_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A shop whose customers have columns of the shop's own, and a registry of the test's own."""
    dsn, folder = new_shop(), tmp_path_factory.mktemp("erase")
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table customers add column email text, add column street text")
    fill_shop(dsn, shop_rows())
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update customers set email = %s, street = %s where customer_id = %s", (MAIL, "Lighthouse Lane", ANNA)
        )
    (folder / "mapping").mkdir()
    (folder / "mapping" / "customers.sql").write_text("select customer_id, age, email, street from customers")
    return Settings(
        _env_file=None,
        store=str(folder / "store"),
        source_dsn=dsn,
        registry_dsn=database(),
        encoder_folder=encoder_folder,
        mapping=f"{folder / 'mapping'}",
        pseudonym_key=KEY,
    )


@pytest.fixture(scope="module")
def filled(keyed: Settings) -> Settings:
    """The store that each test gets a copy of: to fill one takes a while."""
    for day in DAYS:
        for dataset in ORDERED:
            publish(keyed, day, dataset)
    return keyed


@pytest.fixture
def shop(filled: Settings, database: Callable[[], str], tmp_path: Path) -> Settings:
    """A copy of the filled store, hard links included, with a copy of its registry."""
    store = tmp_path / "store"
    subprocess.run(["cp", "-a", filled.store, str(store)], check=True)
    dsn = database()
    Registry(dsn).migrate()
    with psycopg.connect(filled.registry_dsn.get_secret_value()) as old, psycopg.connect(dsn) as new:
        names = [
            row[0]
            for row in old.execute(
                "select column_name from information_schema.columns "
                "where table_schema = 'shopmill' and table_name = 'etl_runs' order by ordinal_position"
            )
        ]
        columns = ", ".join(names)
        with (
            old.cursor().copy(f"copy (select {columns} from shopmill.etl_runs) to stdout".encode()) as rows,
            new.cursor().copy(f"copy shopmill.etl_runs ({columns}) from stdin".encode()) as into,
        ):
            for data in rows:
                into.write(data)
        new.execute("update shopmill.etl_runs set store = %s", (str(store),))
    return filled.model_copy(update={"store": str(store), "registry_dsn": SecretStr(dsn)})


def publish(settings: Settings, as_of: str, dataset: str) -> Any:
    known = {parameter.name for parameter in datasets.load(dataset).all_parameters}
    lenient = {name: value for name, value in LENIENT.items() if name in known}
    return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, lenient))


def command(settings: Settings, *arguments: str) -> Result:
    environment = {
        "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
        "SHOPMILL_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
    }
    return CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, *arguments])


def differences(settings: Settings) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(command(settings, "verify", "--all", "--raw", "--json").stdout)
    return found


def everything(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Where, and the text of, all that is in the store and the registry; Parquet decompressed."""
    store = Store(settings.store)
    for key in store.keys(""):
        data = store.read(key)
        yield key, data.decode("utf-8", "replace")
        if key.endswith(".parquet"):
            [path] = store.fetch([key], folder)
            yield key, repr(pq.read_table(path, partitioning=None).to_pylist())
    if store.root:  # what is being written, and what was thrown away
        for path in store.root.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes().decode("utf-8", "replace")
    with psycopg.connect(settings.registry_dsn.get_secret_value()) as connection:
        names = "select tablename from pg_tables where schemaname = 'shopmill'"
        for (table,) in connection.execute(names).fetchall():
            for row in connection.execute(f"select * from shopmill.{table}".encode()).fetchall():
                yield f"registry {table}", repr(row)


def traces(settings: Settings, folder: Path, of: tuple[str, ...] = THEIRS) -> list[tuple[str, str]]:
    return [(value, where) for where, text in everything(settings, folder) for value in of if value in text]


def test_the_person_is_nowhere_and_the_store_is_whole(shop: Settings, tmp_path: Path) -> None:
    assert {value for value, _ in traces(shop, tmp_path / "before")} >= {ANNA, MAIL, "order-anna-1", "device-anna"}
    before = {dataset: shopmill.load(dataset, store=shop.store).version for dataset in ORDERED}
    receipt = Erasure(shop).run(ANNA)
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert receipt.raw.keys() == {"customers", "transactions", "orders", "order_items", "events", "reviews"}
    assert ANNA not in json.dumps(receipt.document())
    after = {dataset: shopmill.load(dataset, store=shop.store).version for dataset in ORDERED}
    assert {name for name in ORDERED if before[name] == after[name]} == {"articles_content"}
    assert len(receipt.rewritten) == len(DAYS) * (len(ORDERED) - 1)
