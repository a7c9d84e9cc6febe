"""Platforms are known by their tables; what their preset reads and a database lacks is named."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.errors import SchemaDriftError, ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.doctor import Finding, examine
from shopmill.source.mapping import PRESETS, load_mapping
from shopmill.source.platforms import Platform, columns_read, lacking, platform_of, platforms, recognised
from shopmill.source.select_file import read_select
from shopmill.source.selection import Span

SCHEMAS = Path(__file__).parents[1] / "platforms" / "schemas"


@pytest.fixture(params=["saleor", "spree", "odoo"])
def shop(request: pytest.FixtureRequest, database: Callable[[], str], settings: Settings) -> Settings:
    """A shop on a platform, mapped by its preset."""
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute((SCHEMAS / f"{request.param}.sql").read_text().encode())
    changes = {
        "source_dsn": SecretStr(dsn),
        "mapping": request.param,
        "currency": "EUR",
        "pseudonym_key": SecretStr("k"),
    }
    return settings.model_copy(update=changes)


def findings(settings: Settings) -> dict[str, Finding]:
    return {found.subject: found for found in examine(settings, [datasets.load(name) for name in datasets.names()])}


def execute(settings: Settings, statement: str) -> None:
    with psycopg.connect(settings.source_dsn.get_secret_value(), autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.preset)
def test_each_is_known_by_its_tables_and_no_other_has_them_all(platform: object) -> None:
    for one in platforms():
        assert recognised(one.tables) == one
        assert recognised(sorted(one.tables)[1:]) is None
    assert recognised({"customers", "orders", "articles"}) is None
    assert recognised({name for one in platforms() for name in one.tables}) is not None


def test_every_select_of_a_preset_is_understood() -> None:
    for platform in platforms():
        for path in sorted((PRESETS / platform.preset).glob("*.sql")):
            read = columns_read(read_select(path))
            assert read
            assert all(columns for columns in read.values()), path
            assert path.stem in TABLES
            assert platform_of(path) == platform


def test_what_a_select_reads() -> None:
    select = (
        "with a as (select t.x from t join s.u on u.y = t.z) select b, (select max(c) from v where v.d = a.x) from a"
    )
    assert columns_read(select) == {"t": {"x", "z"}, "u": {"y"}, "v": {"c", "d"}}
    assert lacking("select t.x, t.y from t", {"t": {"x"}}) == "t.y"
    assert lacking("select t.x from t", {"u": {"x"}}) == "t"
    assert lacking("select t.x from t", {"t": {"x", "y"}}) == ""


def test_doctor_proposes_the_preset(shop: Settings) -> None:
    mapped = findings(shop)["platform"]
    assert (mapped.level, "from" in mapped.text, "not run" in mapped.text) == ("ok", True, True)
    unmapped = findings(shop.model_copy(update={"mapping": "canonical"}))["platform"]
    assert (unmapped.level, unmapped.fix) == ("warn", f"set SHOPMILL_MAPPING={shop.mapping}")
    other = findings(shop.model_copy(update={"mapping": "vendure"}))["platform"]
    assert other.level == "warn"


def test_doctor_asks_for_a_key_where_there_may_be_guests(shop: Settings) -> None:
    found = findings(shop.model_copy(update={"pseudonym_key": SecretStr("")}))["platform"]
    assert ("SHOPMILL_PSEUDONYM_KEY" in found.fix) == (shop.mapping != "odoo")


def test_doctor_says_which_index_is_missing_until_it_is_made(shop: Settings) -> None:
    indexes = {name: found.fix for name, found in findings(shop).items() if "no index" in found.text}
    platform = platform_of(PRESETS / shop.mapping / "orders.sql")
    assert platform is not None
    assert indexes.keys() == platform.indexes.keys()
    for statement in set(indexes.values()):
        execute(shop, statement)
    assert not [found for found in findings(shop).values() if "no index" in found.text]


@pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.preset)
def test_the_page_of_a_platform_names_its_version_and_the_indexes_to_make(platform: Platform) -> None:
    page = (SCHEMAS.parents[2] / "docs" / f"platforms-{platform.preset}.md").read_text().replace("\n", " ")
    overview = (SCHEMAS.parents[2] / "docs" / "platforms.md").read_text()
    assert (platform.proven or "not run") in page
    assert f"| `{platform.preset}` | {platform.proven or 'from the schema, not run'} |" in overview
    for place in {place for places in platform.indexes.values() for place in places}:
        assert f"`create index concurrently on {place}`" in page


def test_a_preset_for_another_database_is_noticed(settings: Settings, database: Callable[[], str]) -> None:
    elsewhere = settings.model_copy(update={"source_dsn": SecretStr(database()), "mapping": "medusa"})
    found = findings(elsewhere)["platform"]
    assert (found.level, "the preset medusa is chosen" in found.text) == ("warn", True)


@pytest.mark.parametrize(
    ("mapping", "change", "table", "words"),
    [
        ("saleor", "alter table order_orderline rename unit_price_net_amount to price", "transactions",
         ("order_orderline.unit_price_net_amount", "Saleor with the migration order.0195_order_draft_save_address")),
        ("spree", "alter table spree_orders drop completed_at", "orders",
         ("spree_orders.completed_at", "Spree with the migration 20241127223627")),
        ("odoo", "drop table stock_move", "order_items", ("reads stock_move,", "Odoo 17.0.1.2")),
        ("odoo", "alter table sale_order_line drop price_subtotal; drop table ir_module_module", "transactions",
         ("sale_order_line.price_subtotal", "Odoo of an unknown version")),
    ],
)  # fmt: skip
def test_another_schema_is_named_with_its_version(
    database: Callable[[], str], settings: Settings, mapping: str, change: str, table: str, words: Iterable[str]
) -> None:
    other = settings.model_copy(update={"source_dsn": SecretStr(database()), "mapping": mapping})
    execute(other, (SCHEMAS / f"{mapping}.sql").read_text())
    execute(other, change)
    with pytest.raises(SchemaDriftError) as raised, open_source(other, load_mapping(other)) as source:
        source.selection(TABLES[table])
    for word in (
        table,
        f"the preset {mapping}",
        f"presets/{mapping}/{table}.sql",
        f"SHOPMILL_MAPPING=that-folder,{mapping}",
        *words,
    ):
        assert word in str(raised.value), raised.value


def test_an_error_of_a_mapping_of_ones_own_is_as_before(tmp_path: Path, shop: Settings) -> None:
    (tmp_path / "orders.sql").write_text("select nothing as order_id from nowhere")
    own = shop.model_copy(update={"mapping": f"{tmp_path},{shop.mapping}"})
    with pytest.raises(ShopmillError, match="nowhere") as raised, open_source(own, load_mapping(own)) as source:
        source.selection(TABLES["orders"])
    assert "preset" not in str(raised.value)


def test_orders_of_items_are_looked_up_together(shop: Settings) -> None:
    """One at a time, each look-up would read the joins of the whole mapping again: an hour for a shop of average size."""
    as_of = AsOf.parse("2026-11-01", shop.zone)
    with open_source(shop, load_mapping(shop)) as source:
        items = source.selection(TABLES["order_items"])
        span = Span.until_as_of(date(2026, 1, 1), as_of, shop.zone)
        for query in (items.days_changed("changed_at", as_of.instant, span), items.dated(span)):
            assert not re.search(r"SubPlan \d+\n\s+->\s+Aggregate", source.plan(items.table, query))
