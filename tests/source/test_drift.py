"""A shop that is not what the contract says, or not there: one clear error, nothing published, the old version current."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from golden import LENIENT, fill_shop
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from shopmill import datasets
from shopmill.errors import InvalidInputError, SchemaDriftError, ShopmillError, SourceUnavailableError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source import stream
from shopmill.source.contract import TABLES
from shopmill.source.mapping import canonical

SHOP = {
    "transactions": [
        {"t_dat": "2020-09-21", "customer_id": "c1", "article_id": "0001", "price": "1.50", "sales_channel_id": 1},
        {"t_dat": "2020-09-22", "customer_id": "c2", "article_id": "0001", "price": "2.50", "sales_channel_id": 1},
    ],
    "articles": [{"article_id": "0001"}],
}


@pytest.fixture(scope="module")
def broken_shop(new_shop: Callable[[], str]) -> str:
    dsn = new_shop()
    fill_shop(dsn, SHOP)
    return dsn


@pytest.fixture
def change(broken_shop: str) -> Callable[[str], None]:
    """Change the shop's tables; what one test changed, the next finds whole again."""

    def execute(statements: str) -> None:
        with psycopg.connect(broken_shop) as connection:
            connection.execute(statements.encode())

    return execute


@pytest.fixture(scope="module")
def published_once(broken_shop: str, registry_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    store = str(tmp_path_factory.mktemp("published"))
    settings = Settings(_env_file=None, store=store, source_dsn=broken_shop, registry_dsn=registry_dsn)
    steps.run_all(Run.create(datasets.load("user_item_interactions"), "2020-09-22", settings, LENIENT))
    return settings


@pytest.fixture
def published(published_once: Settings, tmp_path: Path) -> Settings:
    """Settings of a shop of which a version is published, in a store of the test's own."""
    store = str(shutil.copytree(published_once.store, tmp_path / "store"))
    return published_once.model_copy(update={"store": store})


def fail(settings: Settings, expected: type[ShopmillError]) -> str:
    """Runs the next as_of, which must fail cleanly; gives the message."""
    run = Run.create(datasets.load("user_item_interactions"), "2020-09-23", settings, LENIENT)
    with pytest.raises(expected) as caught:
        steps.run_all(run)
    message = str(caught.value)
    assert "\n" not in message
    current = run.versions.current()
    assert current is not None
    assert [known.label for known in run.versions.as_ofs()] == [current.as_of] == ["2020-09-22"]
    row = next(row for row in Registry(settings.registry_dsn.get_secret_value()).runs() if row["run_id"] == run.run_id)
    assert (row["status"], row["version"]) == ("failed", None)
    assert message in row["error"]
    assert row["finished_at"]
    assert run.store.keys("staging") == []
    return message


@pytest.mark.parametrize(
    ("broken", "mended", "words"),
    [
        ("alter table transactions rename price to preis", "alter table transactions rename preis to price",
         ["transactions", "price"]),
        ("alter table transactions alter article_id type bigint using article_id::bigint",
         "alter table transactions alter article_id type text using lpad(article_id::text, 4, '0')",
         ["transactions.article_id", "varchar", "int8", "transactions.sql"]),
        ("alter table events alter event_datetime type timestamp", "alter table events alter event_datetime type timestamptz",
         ["events.event_datetime", "timestamptz", "found timestamp.", "at time zone"]),
        ("alter table articles drop column article_id", "alter table articles add column article_id text",
         ["articles", "article_id"]),
        ("alter table events rename to clicks", "alter table clicks rename to events", ["The shop has no events", "SHOPMILL_MAPPING"]),
    ],
)  # fmt: skip
def test_a_table_that_changed(
    published: Settings, change: Callable[[str], None], broken: str, mended: str, words: list[str]
) -> None:
    change(broken)
    try:
        message = fail(published, SchemaDriftError)
    finally:
        change(mended)
    for word in words:
        assert word in message


def test_a_table_that_may_not_be_read(published: Settings, broken_shop: str, postgres: EmbeddedPostgres) -> None:
    database = psycopg.conninfo.conninfo_to_dict(broken_shop)["dbname"]
    postgres.ensure_role("reader")
    with psycopg.connect(postgres.admin_dsn(str(database))) as admin:
        admin.execute(
            f"grant connect on database {database} to reader; grant usage on schema public to reader;"
            "grant select on all tables in schema public to reader; revoke select on events from reader".encode()
        )
    reader = published.model_copy(update={"source_dsn": SecretStr(postgres.dsn(str(database), "reader"))})
    message = fail(reader, InvalidInputError)
    assert "events" in message
    assert "SELECT" in message


def test_a_wrong_password_is_not_told(published: Settings, broken_shop: str) -> None:
    wrong = make_conninfo(broken_shop, password="hunter2-secret")
    message = fail(published.model_copy(update={"source_dsn": SecretStr(wrong)}), SourceUnavailableError)
    assert "hunter2" not in message
    assert "password authentication failed" in message


def test_no_server_answers(published: Settings) -> None:
    dsn = SecretStr("postgresql://shop:hunter2@127.0.0.1:1/shop")
    message = fail(published.model_copy(update={"source_dsn": dsn}), SourceUnavailableError)
    assert "hunter2" not in message
    assert "does not answer" in message


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://shop:hunter2@host:port/shop",
        "shop:hunter2@host/db",
        "postgresql://shop:hunter2%zz@host/shop",
        "postgresql://shop:a@hunter2@host/shop",
        "mysql://shop:hunter2@host/shop",
        "password=hunter2 nonsense",
        "host=x passwort=hunter2",
    ],
)
def test_a_malformed_dsn_is_refused_without_its_password(published: Settings, dsn: str) -> None:
    message = fail(published.model_copy(update={"source_dsn": SecretStr(dsn)}), InvalidInputError)
    assert "hunter2" not in message
    assert "SHOPMILL_SOURCE_DSN" in message


def test_no_shop_at_all(published: Settings) -> None:
    assert "SHOPMILL_SOURCE_DSN" in fail(published.model_copy(update={"source_dsn": SecretStr("")}), InvalidInputError)


def test_the_server_ends_the_connection_in_mid_stream(
    published: Settings, change: Callable[[str], None], postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    change("insert into transactions select '2020-09-22', 'c', repeat('x', 1000), 1, 1 from generate_series(1, 60000)")
    killed = []
    cut = stream.whole_days

    def whole_days(batches: Iterator[object], *rest: object) -> Iterator[object]:
        with psycopg.connect(postgres.admin_dsn()) as admin:
            killed.extend(
                admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name = 'shopmill' and query ilike '%from _transactions_%' and state = 'active'"
                ).fetchall()
            )
        return cut(batches, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(stream, "whole_days", whole_days)
    try:
        message = fail(published, SourceUnavailableError)
    finally:
        change("delete from transactions where customer_id = 'c'")
    assert (True,) in killed
    assert "transactions" in message


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """A copy of the canonical mapping, to change."""
    folder = tmp_path / "mapping"
    folder.mkdir()
    for name, table in TABLES.items():
        (folder / f"{name}.sql").write_text(canonical(table))
    return folder


def test_a_mapping_that_is_neither_preset_nor_folder(published: Settings) -> None:
    message = fail(published.model_copy(update={"mapping": "/nowhere/at/all"}), InvalidInputError)
    assert "/nowhere/at/all" in message
    assert "canonical" in message


def test_a_mapping_without_a_table(published: Settings, mapping: Path) -> None:
    (mapping / "articles.sql").write_text("-- we have none")
    message = fail(published.model_copy(update={"mapping": str(mapping)}), SchemaDriftError)
    assert "The shop has no articles" in message


def test_a_mapping_that_is_no_sql(published: Settings, mapping: Path) -> None:
    (mapping / "events.sql").write_text("selekt everything")
    message = fail(published.model_copy(update={"mapping": str(mapping)}), InvalidInputError)
    assert "events.sql" in message


def test_a_mapping_that_fails_on_a_value(published: Settings, mapping: Path) -> None:
    select = (
        (mapping / "transactions.sql")
        .read_text()
        .replace('"customer_id"', "(customer_id::integer)::text as customer_id")
    )
    (mapping / "transactions.sql").write_text(select)
    message = fail(published.model_copy(update={"mapping": str(mapping)}), InvalidInputError)
    assert "Change transactions.sql of the mapping" in message
    assert '"a9"' in message  # the shape of the value, which may be a person's
