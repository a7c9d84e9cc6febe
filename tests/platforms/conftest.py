"""One running shop per platform for the whole session, and what was published of it before and after its old orders changed."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from running import PlatformShop, install_with_npm, install_with_uv, installed
from story import Story, tell

from ports import free_port
from shopmill.shops.postgres import EmbeddedPostgres

MEDUSA = "node_modules/.bin/medusa"


@pytest.fixture(scope="session")
def new_platform_shop(postgres: EmbeddedPostgres, database: Callable[[], str]) -> Callable[..., PlatformShop]:
    """An empty database for a platform, with a role that may read it and no more."""

    def create(name: str, folder: Path, *script: str) -> PlatformShop:
        owner_dsn = database()
        name_of = str(psycopg.conninfo.conninfo_to_dict(owner_dsn)["dbname"])
        postgres.ensure_role("reader")
        with psycopg.connect(postgres.admin_dsn(name_of)) as admin:
            admin.execute(
                f"grant connect on database {name_of} to reader; grant usage on schema public to reader".encode()
            )
            admin.execute("alter default privileges for role tester grant select on tables to reader")
        return PlatformShop(name, folder, owner_dsn, postgres.dsn(name_of, "reader"), script)

    return create


@pytest.fixture(scope="session")
def oscar(new_platform_shop: Callable[..., PlatformShop]) -> PlatformShop:
    """django-oscar with its tables and no order."""
    folder = installed("oscar", install_with_uv)
    shop: PlatformShop = new_platform_shop("oscar", folder, "venv/bin/python", "shop.py")
    shop.environment = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    shop.run("venv/bin/django-admin", "migrate", "--verbosity", "0")
    return shop


@pytest.fixture(scope="session")
def medusa_filled(new_platform_shop: Callable[..., PlatformShop]) -> PlatformShop:
    """Medusa with a catalogue and no order."""
    folder = installed("medusa", install_with_npm)
    shop: PlatformShop = new_platform_shop("medusa", folder, "node", "shop.js")
    shop.run(MEDUSA, "db:migrate")
    shop.run(MEDUSA, "exec", "./src/scripts/seed.js")
    shop.run(MEDUSA, "user", "-e", "admin@example.com", "-p", "pw12345678")
    return shop


@pytest.fixture(scope="session")
def medusa(medusa_filled: PlatformShop, medusa_without_orders: PlatformShop) -> Iterator[PlatformShop]:
    """Medusa, answering; PostgreSQL copies no database that is in use, so the copy comes first."""
    port = free_port()
    with medusa_filled.serving(MEDUSA, "start", "--host", "127.0.0.1", "--port", str(port), port=port):
        yield medusa_filled


@pytest.fixture(scope="session")
def vendure_filled(new_platform_shop: Callable[..., PlatformShop]) -> PlatformShop:
    """Vendure with a catalogue and no order."""
    folder = installed("vendure", install_with_npm)
    shop: PlatformShop = new_platform_shop("vendure", folder, "node", "shop.js")
    (folder / "placed.json").unlink(missing_ok=True)
    shop.environment = {"PORT": str(free_port())}
    shop.run("node", "seed.js", SYNCHRONIZE="1")
    return shop


@pytest.fixture(scope="session")
def vendure(vendure_filled: PlatformShop, vendure_without_orders: PlatformShop) -> Iterator[PlatformShop]:
    """Vendure, answering; PostgreSQL copies no database that is in use, so the copy comes first."""
    with vendure_filled.serving("node", "server.js", port=int(vendure_filled.environment["PORT"])):
        yield vendure_filled


@pytest.fixture(scope="session")
def tell_story(
    registry_dsn: str, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[PlatformShop], Story]:
    """Places a platform's orders and publishes its datasets."""
    return lambda shop: tell(shop, registry_dsn, encoder_folder, tmp_path_factory.mktemp(shop.name))


@pytest.fixture(scope="session")
def copied(postgres: EmbeddedPostgres) -> Callable[[PlatformShop], PlatformShop]:
    """A copy of a shop's database, to change as one likes."""
    numbers = itertools.count(1)

    def copy(shop: PlatformShop) -> PlatformShop:
        name = str(psycopg.conninfo.conninfo_to_dict(shop.owner_dsn)["dbname"])
        new = f"{name}_copy_{next(numbers)}"
        with psycopg.connect(postgres.admin_dsn(), autocommit=True) as admin:
            admin.execute(f"create database {new} template {name} owner tester".encode())
            admin.execute(f"grant connect on database {new} to reader".encode())
        return replace(shop, owner_dsn=postgres.dsn(new, "tester"), reader_dsn=postgres.dsn(new, "reader"))

    return copy


@pytest.fixture(scope="session")
def oscar_without_orders(oscar: PlatformShop, copied: Callable[[PlatformShop], PlatformShop]) -> PlatformShop:
    return copied(oscar)


@pytest.fixture(scope="session")
def medusa_without_orders(medusa_filled: PlatformShop, copied: Callable[[PlatformShop], PlatformShop]) -> PlatformShop:
    return copied(medusa_filled)


@pytest.fixture(scope="session")
def vendure_without_orders(
    vendure_filled: PlatformShop, copied: Callable[[PlatformShop], PlatformShop]
) -> PlatformShop:
    return copied(vendure_filled)


@pytest.fixture(scope="session")
def oscar_story(
    oscar: PlatformShop, oscar_without_orders: PlatformShop, tell_story: Callable[[PlatformShop], Story]
) -> Story:
    return tell_story(oscar)


@pytest.fixture(scope="session")
def medusa_story(medusa: PlatformShop, tell_story: Callable[[PlatformShop], Story]) -> Story:
    return tell_story(medusa)


@pytest.fixture(scope="session")
def vendure_story(vendure: PlatformShop, tell_story: Callable[[PlatformShop], Story]) -> Story:
    return tell_story(vendure)
