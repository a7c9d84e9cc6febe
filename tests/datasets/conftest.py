"""A shop and a registry in a real PostgreSQL, and settings that point at them."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest

from shopmill.settings import Settings


@pytest.fixture(scope="session")
def shop_dsn(database: Callable[[], str]) -> str:
    """A database with the empty tables of the canonical shop, without keys: views of a shop have none."""
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
        for table, key in (("customers", "customer_id"), ("articles", "article_id")):
            connection.execute(f"alter table {table} drop constraint {table}_pkey, alter {key} drop not null")
    return dsn


@pytest.fixture(scope="session")
def registry_dsn(database: Callable[[], str]) -> str:
    """An empty database for the registry."""
    return database()


@pytest.fixture
def settings(shop_dsn: str, registry_dsn: str, tmp_path: Path) -> Settings:
    """Settings with a store of the test's own."""
    return Settings(_env_file=None, store=str(tmp_path / "store"), source_dsn=shop_dsn, registry_dsn=registry_dsn)
