"""Shops that a preset does not fit as they are: another version of the platform, no orders yet, indexes that are missing."""

from collections.abc import Callable

import psycopg
import pytest
from pydantic import SecretStr
from running import PlatformShop
from story import LENIENT

from shopmill import datasets
from shopmill.errors import CheckFailedError, SchemaDriftError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.doctor import Finding, examine
from shopmill.source.mapping import load_mapping
from shopmill.source.platforms import platforms

ON_NPM = (pytest.mark.npm, pytest.mark.timeout(1800))
NEED_ORDERS = ("user_item_interactions", "customer_features", "timeseries")
OTHER_VERSIONS = [
    ("oscar", "older", "articles", "order_line.line_price_excl_tax", "django-oscar 3.2",
     "delete from django_migrations where app = 'order' and name > '0014'; "
     "alter table order_line drop column line_price_excl_tax"),
    ("oscar", "newer", "orders", "order_order.currency", "django-oscar 4.2 or newer",
     "alter table order_order rename column currency to currency_code"),
    ("medusa", "older", "transactions", "order_item", "Medusa 1", "drop table order_item cascade; drop table order_line_item cascade"),
    ("medusa", "newer", "transactions", "order_line_item.is_tax_inclusive", "Medusa 2 of 20",
     "alter table order_line_item rename column is_tax_inclusive to tax_inclusive"),
    ("vendure", "older", "articles", "stock_level", "Vendure 1", "drop table stock_level cascade"),
    ("vendure", "newer", "orders", "order.currencyCode", "Vendure 3.6 or newer",
     'alter table "order" rename column "currencyCode" to currency'),
]  # fmt: skip


@pytest.fixture(params=["oscar", pytest.param("medusa", marks=ON_NPM), pytest.param("vendure", marks=ON_NPM)])
def empty(
    request: pytest.FixtureRequest, copied: Callable[[PlatformShop], PlatformShop], settings: Settings
) -> tuple[PlatformShop, Settings]:
    """A shop with articles and no orders, and settings that name its preset."""
    shop = copied(request.getfixturevalue(f"{request.param}_without_orders"))
    return shop, _settings(shop, settings)


def _settings(shop: PlatformShop, settings: Settings) -> Settings:
    return settings.model_copy(
        update={"source_dsn": SecretStr(shop.reader_dsn), "mapping": shop.name, "pseudonym_key": SecretStr("k")}
    )


def _execute(shop: PlatformShop, statements: str) -> None:
    with psycopg.connect(shop.owner_dsn, autocommit=True) as connection:
        for statement in statements.split("; "):
            connection.execute(statement.encode())


def _findings(settings: Settings) -> dict[str, Finding]:
    return {found.subject: found for found in examine(settings, [datasets.load(name) for name in datasets.names()])}


@pytest.mark.parametrize(
    ("name", "table", "lacks", "version", "change"),
    [
        pytest.param(name, *case, id=f"{name}-{age}", marks=() if name == "oscar" else ON_NPM)
        for name, age, *case in OTHER_VERSIONS
    ],
)
def test_another_version_is_named_with_what_it_lacks(
    request: pytest.FixtureRequest,
    copied: Callable[[PlatformShop], PlatformShop],
    settings: Settings,
    name: str,
    table: str,
    lacks: str,
    version: str,
    change: str,
) -> None:
    shop = copied(request.getfixturevalue(f"{name}_without_orders"))
    _execute(shop, change)
    other = _settings(shop, settings)
    with pytest.raises(SchemaDriftError) as raised, open_source(other, load_mapping(other)) as source:
        source.selection(TABLES[table])
    for word in (f"{table}: the preset {name} (proven with", f"reads {lacks},", version, "into a folder of your own"):
        assert word in str(raised.value)


def test_datasets_that_need_orders_say_that_there_are_none(empty: tuple[PlatformShop, Settings]) -> None:
    for name in NEED_ORDERS:
        with pytest.raises(CheckFailedError, match=r"transactions has no row before as_of"):
            steps.run_all(Run.create(datasets.load(name), "2026-01-01", empty[1], LENIENT))


def test_doctor_knows_the_platform_and_proposes_its_preset(empty: tuple[PlatformShop, Settings]) -> None:
    shop, settings = empty
    found = _findings(settings.model_copy(update={"mapping": "canonical"}))["platform"]
    assert (found.level, found.fix) == ("warn", f"set SHOPMILL_MAPPING={shop.name}")
    assert _findings(settings)["platform"].level == "ok"


def test_doctor_says_which_indexes_the_platform_lacks(empty: tuple[PlatformShop, Settings]) -> None:
    shop, settings = empty
    platform = next(one for one in platforms() if one.preset == shop.name)
    missing = {subject: found.fix for subject, found in _findings(settings).items() if "no index" in found.text}
    assert missing.keys() == platform.indexes.keys()
    assert all(fix.startswith("create index concurrently on ") for fix in missing.values())
    for statements in set(missing.values()):
        _execute(shop, statements)
    assert not [found for found in _findings(settings).values() if "no index" in found.text]
