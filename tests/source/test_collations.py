"""Ids and words in collations that hold different texts for equal, of a PostgreSQL that has them: one built with ICU."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract, RowsOf

from shopmill import datasets
from shopmill.settings import Settings
from shopmill.shops import postgres as module
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import examine
from shopmill.source.findings import Finding

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
AS_OF = "2020-09-23"
BLIND = "create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
SHOP = (
    "create table customers (customer_id text collate blind);"
    "create table articles (article_id varchar collate blind, prod_name text collate blind, product_group_name text collate blind);"
    "create table transactions (t_dat date, customer_id text collate blind, article_id text collate blind, price numeric,"
    " currency text collate blind);"
    "create table orders (order_id text collate blind, customer_id text collate blind, order_datetime timestamptz,"
    " order_status text collate blind);"
    "create table order_items (order_id text collate blind, article_id text collate blind, quantity int, price numeric);"
    "create table events (event_id text collate blind, visitor_id text collate blind, event_type text collate blind,"
    " event_datetime timestamptz);"
    "create table reviews (review_id text collate blind, article_id text collate blind, rating int,"
    " review_text text collate blind, review_date timestamptz);"
    "create table promotions (product_group_name text collate blind, starts_on date);"
    "insert into customers values ('Anna'); insert into articles values ('ÄRA', 'Coat', 'Coats');"
    "insert into transactions values ('2020-09-20', 'ANNA', 'ära', 1, 'eur'), ('2020-09-20', 'anna', 'Ära', 1, 'EUR');"
    "insert into orders values ('O1', 'anna', '2020-09-20 10:00Z', 'CANCELLED');"
    "insert into order_items values ('o1', 'ära', 1, 1);"
    "insert into events values ('E1', 'V', 'View', '2020-09-20 10:00Z'), ('E2', 'v', 'VIEW', '2020-09-20 10:01Z');"
    "insert into reviews values ('R1', 'ära', 5, 'Lovely', '2020-09-20 10:00Z');"
    "insert into promotions values ('Coats', '2020-09-01');"
)


class SystemPostgres(EmbeddedPostgres):
    """The same server from the programs of the system, of a version that knows fewer options."""

    def _run(self, program: str, *arguments: object) -> None:
        given = list(arguments)
        if program == "initdb":
            given = [*given[: given.index("--encoding=UTF8")], "--encoding=UTF8", "--locale=C.UTF-8"]
        super()._run(program, *given)

    def _create(self) -> None:
        super()._create()
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\nfsync = off\n")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """PostgreSQL as the system has it, which has ICU where the embedded one does not."""
    if not PROGRAMS:
        pytest.skip("no PostgreSQL of the system is installed")
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory(prefix="shopmill-icu-") as folder:
        patched.setattr(module, "_binary", lambda name: str(PROGRAMS[-1].parent / name))
        Path(folder).chmod(0o711)
        with SystemPostgres(Path(folder)) as started:
            started.ensure_role("tester")
            yield started


@pytest.fixture
def made_there(server: EmbeddedPostgres) -> Callable[[str], str]:
    """A database of some statements."""

    def make(statements: str) -> str:
        with psycopg.connect(server.admin_dsn(), autocommit=True) as admin:
            admin.execute("drop database if exists collated")
        server.ensure_database("collated", owner="tester")
        dsn = server.dsn("collated", "tester")
        with psycopg.connect(dsn) as connection:
            connection.execute(statements.encode())
        return dsn

    return make


@pytest.fixture
def read(extract: Extract, rows_of: RowsOf) -> Callable[..., list[dict[str, Any]]]:
    def rows(dsn: str, table: str, **changes: Any) -> list[dict[str, Any]]:
        return rows_of(extract(AS_OF, [table], source_dsn=SecretStr(dsn), **changes)[table])

    return rows


def test_what_a_collation_holds_for_one_id_is_one_id(
    made_there: Callable[[str], str], read: Callable[..., Any], extract: Extract, rows_of: RowsOf
) -> None:
    """As with citext: 'Anna' and 'ANNA' join in the shop's own database."""
    dsn = made_there(BLIND + SHOP)
    assert {(row["customer_id"], row["article_id"]) for row in read(dsn, "transactions")} == {("anna", "ära")}
    assert [(row["article_id"], row["prod_name"]) for row in read(dsn, "articles")] == [("ära", "Coat")]
    found = extract(AS_OF, ["orders", "order_items"], source_dsn=SecretStr(dsn))
    [order], [item] = rows_of(found["orders"]), rows_of(found["order_items"])
    assert (order["order_id"], order["order_status"], item["order_id"]) == ("o1", "CANCELLED", "o1")
    assert found["order_items"].files[0].day == "2020-09-20"
    assert {row["visitor_id"] for row in read(dsn, "events")} == {"v"}
    assert [row["review_id"] for row in read(dsn, "reviews")] == ["r1"]


def test_doctor_has_nothing_to_say_of_it(made_there: Callable[[str], str], settings: Settings) -> None:
    dsn = SecretStr(made_there(BLIND + SHOP))
    found: Mapping[str, Finding] = {
        one.subject: one for one in examine(settings.model_copy(update={"source_dsn": dsn}), datasets.load_all())
    }
    assert {name: one.text for name, one in found.items() if one.level == "error"} == {}
    assert found["transactions.customer_id"].text == "all of 1 are in customers"
    assert found["promotions.product_group_name"].level == "ok"


@pytest.mark.parametrize("locale", ["und-u-ks-level2", "und"])
def test_keys_that_do_not_join_are_told_in_any_collation(
    made_there: Callable[[str], str], settings: Settings, locale: str
) -> None:
    statements = (
        BLIND.replace("und-u-ks-level2", locale)
        + SHOP
        + "update articles set article_id = '00x', product_group_name = 'x';"
    )
    dsn = SecretStr(made_there(statements))
    found = {one.subject: one for one in examine(settings.model_copy(update={"source_dsn": dsn}), datasets.load_all())}
    assert "are not in articles" in found["transactions.article_id"].text
    assert "are not in articles" in found["promotions.product_group_name"].text


def test_a_collation_that_tells_case_apart_changes_no_id(
    made_there: Callable[[str], str], read: Callable[..., Any]
) -> None:
    dsn = made_there(
        "create collation sorted (provider = icu, locale = 'de-u-kn-true');"
        "create collation accents (provider = icu, locale = 'und-u-kc-true-ks-level1', deterministic = false);"
        "create table articles (article_id text collate sorted, product_code text collate accents);"
        "insert into articles values ('A10', 'X'), ('a9', 'x')"
    )
    assert {(row["article_id"], row["product_code"]) for row in read(dsn, "articles")} == {("A10", "X"), ("a9", "x")}


def test_ids_of_two_collations_are_read_as_they_are(
    made_there: Callable[[str], str], read: Callable[..., Any], tmp_path: Path
) -> None:
    """PostgreSQL itself compares none of them."""
    dsn = made_there(
        BLIND + 'create table here (article_id text collate blind); create table there (article_id text collate "C");'
        "insert into here values ('A'); insert into there values ('a');"
    )
    (tmp_path / "articles.sql").write_text("select article_id from here union all select article_id from there")
    assert {row["article_id"] for row in read(dsn, "articles", mapping=str(tmp_path))} == {"A", "a"}


def test_old_rows_are_compared_in_any_collation(
    made_there: Callable[[str], str], extract: Extract, settings: Settings
) -> None:
    from contextlib import nullcontext

    from shopmill.source.reconcile import reconcile

    dsn = SecretStr(made_there(BLIND + SHOP))
    extract(AS_OF, ["transactions", "orders", "order_items", "events", "reviews"], source_dsn=dsn)
    found = list(reconcile(settings.model_copy(update={"source_dsn": dsn}), lambda _name: nullcontext()))
    assert {one.table for one in found} == {"transactions", "orders", "order_items", "events", "reviews"}
    assert not [one for one in found if one.different]
