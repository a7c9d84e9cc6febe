import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shopmill.shops.loading import script
from shopmill.shops.server import DemoServer, demo_server

WRITES = [
    "insert into orders values ('1', '1', now(), 'completed')",
    "update orders set order_status = 'x'",
    "delete from orders",
    "truncate orders",
    "drop table orders",
    "alter table orders add column x int",
    "create index on orders (order_id)",
    "create table mine (x int)",
    "create temp table mine (x int)",
    "create schema mine",
    "create view mine as select 1",
    "create function mine() returns int language sql as 'select 1'",
    "select * into mine from orders",
    "select * from orders for update",
    "do $$ begin lock table orders in access exclusive mode; end $$",
    "copy orders from stdin",
    "copy orders to '/tmp/orders'",
    "copy orders to program 'cat'",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "create extension hstore",
    "create role mine",
    "grant shop_owner to shop_reader",
    "set role shop_owner",
    "analyze orders; comment on table orders is 'mine'",
    "select * from shopmill_demo.secret",
]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with tempfile.TemporaryDirectory(prefix="shopmill-demo-") as folder:
        Path(folder).chmod(0o711)
        server = demo_server(Path(folder))
        with psycopg.connect(server.shop_owner_dsn) as connection:
            connection.execute(script("schema.sql"))  # after the grants: they must reach tables made later
            connection.execute("insert into orders values ('1', '7', now(), 'completed')")
            connection.execute("create schema shopmill_demo")
            connection.execute("create table shopmill_demo.secret (x int)")
        yield server
        server.postgres.stop()


def test_a_second_time_changes_nothing(demo: DemoServer) -> None:
    again = demo_server(demo.postgres.home)
    assert (again.source_dsn, again.registry_dsn) == (demo.source_dsn, demo.registry_dsn)


def test_the_reader_reads(demo: DemoServer) -> None:
    with psycopg.connect(demo.source_dsn) as connection:
        assert connection.execute("select order_id from orders").fetchall() == [("1",)]
        assert connection.execute("show transaction_read_only").fetchall() == [("on",)]


@pytest.mark.parametrize("mode", ["as it connects", "read write"])
@pytest.mark.parametrize("statement", WRITES)
def test_the_reader_can_write_nothing(demo: DemoServer, statement: str, mode: str) -> None:
    with psycopg.connect(demo.source_dsn, autocommit=True) as connection:
        if mode == "read write":
            connection.execute("set default_transaction_read_only = off")
            connection.execute("set session characteristics as transaction read write")
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(statement)


def test_each_role_has_its_own_database(demo: DemoServer) -> None:
    for dsn in (demo.metadata_dsn, demo.registry_dsn):
        with psycopg.connect(dsn) as connection:
            connection.execute("create schema own create table t (x int)")
    with psycopg.connect(demo.registry_dsn) as connection:
        assert connection.execute("select '[1,2]'::vector <-> '[1,2]'").fetchall() == [(0.0,)]
    for role, database in (("shop_reader", "registry"), ("airflow", "shop"), ("shopmill", "shop")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(demo.postgres.dsn(database, role))
