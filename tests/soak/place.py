"""Where a soak takes place: an empty shop, two empty registries with pgvector, and two stores. The clean one is a folder."""

import itertools
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psycopg
from pydantic import SecretStr

from shopmill.settings import Settings, user_cache
from shopmill.shops.postgres import EmbeddedPostgres

CACHE = user_cache() / "shopmill"


def databases(server: EmbeddedPostgres) -> Callable[[], str]:
    """What makes an empty database each time."""
    server.ensure_role("soak")
    numbers = itertools.count()

    def new() -> str:
        server.ensure_database(name := f"soak_{next(numbers)}", owner="soak")
        return server.dsn(name, "soak")

    return new


def place(
    server: EmbeddedPostgres, new_database: Callable[[], str], folder: Path, encoder_folder: Path, store: str = ""
) -> tuple[Settings, Settings]:
    """Settings of the store that is soaked, and of the clean build."""
    shop = new_database()
    with psycopg.connect(shop) as connection:
        connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
    soaked, clean = (
        Settings(
            _env_file=None,
            store=where,
            source_dsn=SecretStr(shop),
            registry_dsn=SecretStr(_with_vectors(server, new_database())),
            encoder_folder=encoder_folder,
            pseudonym_key=SecretStr("only the shop knows"),
            threads=1,
        )
        for where in (store or str(folder / "soaked"), str(folder / "clean"))
    )
    Path(folder / "soaked").mkdir(parents=True)
    return soaked, clean


def _with_vectors(server: EmbeddedPostgres, registry: str) -> str:
    name = str(psycopg.conninfo.conninfo_to_dict(registry)["dbname"])
    with psycopg.connect(server.admin_dsn(name)) as admin:
        admin.execute("create extension vector")
    return registry
