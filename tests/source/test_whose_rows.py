"""A store holds the rows of one shop: what looks like it and is another one is refused, whatever the role may read."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract

from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import examine
from shopmill.source.shop import move

NAME = "copied"
SALES = "create table transactions (t_dat date, article_id text, price numeric);"
ROWS = "insert into transactions values ('2020-09-20', 'a', 1.5);"
BLIND = "revoke execute on function pg_control_system() from public"


@pytest.fixture(scope="module")
def other_server() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="shopmill-other-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder)) as server:
            server.ensure_role("tester")
            yield server


@pytest.fixture
def copy_on() -> Iterator[Callable[..., str]]:
    """Makes the database `copied` anew on a server, and drops it at the end."""
    made: list[EmbeddedPostgres] = []

    def make(server: EmbeddedPostgres, is_blind: bool = False) -> str:
        made.append(server)
        _drop(server)
        server.ensure_database(NAME, owner="tester")
        if is_blind:
            with psycopg.connect(server.admin_dsn(NAME)) as admin:
                admin.execute(BLIND.encode())
        dsn = server.dsn(NAME, "tester")
        with psycopg.connect(dsn) as connection:
            connection.execute((SALES + ROWS).encode())
        return dsn

    yield make
    for server in made:
        _drop(server)


def _drop(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.admin_dsn(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {NAME} with (force)".encode())


def taken(extract: Extract, dsn: str, as_of: str = "2020-09-23", **changes: Any) -> None:
    extract(as_of, ["transactions"], source_dsn=SecretStr(dsn), **changes)


@pytest.mark.parametrize("is_blind", [False, True])
def test_a_copy_of_the_same_name_on_another_server_is_another_shop(
    extract: Extract,
    postgres: EmbeddedPostgres,
    other_server: EmbeddedPostgres,
    copy_on: Callable[..., str],
    is_blind: bool,
) -> None:
    taken(extract, copy_on(postgres, is_blind))
    with pytest.raises(InvalidInputError, match=r"another shop \(now: (server|address) "):
        taken(extract, copy_on(other_server, is_blind), "2020-09-24")


def test_a_database_that_took_the_place_of_another_is_another_shop_until_it_is_said_to_be_the_same(
    extract: Extract, postgres: EmbeddedPostgres, copy_on: Callable[..., str], settings: Settings
) -> None:
    taken(extract, copy_on(postgres))
    again = copy_on(postgres)
    with pytest.raises(InvalidInputError, match=r"another shop \(now: database copied made as \d+, not \d+\)"):
        taken(extract, again, "2020-09-24")
    move(settings.model_copy(update={"source_dsn": SecretStr(again)}))
    taken(extract, again, "2020-09-24")


def test_another_role_another_password_and_a_pool_are_the_same_shop(
    extract: Extract, postgres: EmbeddedPostgres, copy_on: Callable[..., str]
) -> None:
    """What connects changes; the shop does not."""
    dsn = copy_on(postgres)
    taken(extract, dsn)
    postgres.ensure_role("second_reader")
    with psycopg.connect(postgres.admin_dsn(NAME)) as admin:
        admin.execute(f"grant connect on database {NAME} to second_reader".encode())
        admin.execute(b"grant select on transactions to second_reader")
    taken(extract, postgres.dsn(NAME, "second_reader"), "2020-09-24")
    named = psycopg.conninfo.make_conninfo(dsn, host="localhost", application_name="another")
    taken(extract, named, "2020-09-25")


def test_what_the_first_look_could_not_read_is_learnt_and_counts_from_then_on(
    extract: Extract, postgres: EmbeddedPostgres, other_server: EmbeddedPostgres, copy_on: Callable[..., str]
) -> None:
    blind = copy_on(postgres, is_blind=True)
    taken(extract, blind)
    with psycopg.connect(postgres.admin_dsn(NAME)) as admin:
        admin.execute(b"grant execute on function pg_control_system() to tester")
    taken(extract, blind, "2020-09-24")
    with pytest.raises(InvalidInputError, match=r"another shop \(now: server"):
        taken(extract, copy_on(other_server), "2020-09-25")


def test_a_table_of_another_schema_that_a_mapping_names_is_read_as_another_table(
    extract: Extract, postgres: EmbeddedPostgres, copy_on: Callable[..., str], tmp_path: Path
) -> None:
    """The trial's rows are not kept where the mapping has moved on to those of the shop."""
    dsn = copy_on(postgres)
    with psycopg.connect(dsn) as connection:
        connection.execute(b"create schema trial; create table trial.transactions (like transactions)")
    (tmp_path / "transactions.sql").write_text("select * from trial.transactions")
    taken(extract, dsn, mapping=str(tmp_path))
    (tmp_path / "transactions.sql").write_text("select * from public.transactions")
    found = extract("2020-09-24", ["transactions"], source_dsn=SecretStr(dsn), mapping=str(tmp_path))
    assert found["transactions"].rows == 1


ASKS = {
    "a view": "create view transactions as select * from lines where owner = current_user",
    "a view of a view": "create view mine as select * from lines where pg_has_role(current_user, owner, 'member');"
    "create view transactions as select * from mine",
}


@pytest.mark.parametrize("kind", ASKS)
def test_rows_that_depend_on_who_reads_them_are_of_that_role(
    extract: Extract, postgres: EmbeddedPostgres, made: Callable[[str], str], settings: Settings, kind: str
) -> None:
    """Nothing but the role is another, and so are the rows."""
    lines = "create table lines (t_dat date, article_id text, price numeric, owner text);"
    rows = "insert into lines values ('2020-09-20', 'a', 1.5, 'tester'), ('2020-09-20', 'b', 2, 'third_reader');"
    dsn = made(lines + rows + ASKS[kind])
    name = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    taken(extract, dsn)
    found = {one.text for one in examine(settings.model_copy(update={"source_dsn": SecretStr(dsn)}), ())}
    assert any("asks who reads it: another role may see other rows" in text for text in found)
    postgres.ensure_role("third_reader")
    with psycopg.connect(postgres.admin_dsn(name)) as admin:
        admin.execute(f"grant connect on database {name} to third_reader".encode())
        admin.execute(b"grant select on all tables in schema public to third_reader")
    with pytest.raises(InvalidInputError, match=r"another shop \(now: role third_reader, not tester\)"):
        taken(extract, postgres.dsn(name, "third_reader"), "2020-09-24")
    taken(extract, dsn, "2020-09-24")


def test_a_view_that_asks_for_nobody_is_of_all_roles(made: Callable[[str], str], settings: Settings) -> None:
    dsn = made(
        'create table lines (t_dat date, article_id text, price numeric, "USER" text, "current_user" text);'
        """create view transactions as select *, 'CURRENT_USER ' || "USER" as note from lines"""
    )
    found = examine(settings.model_copy(update={"source_dsn": SecretStr(dsn)}), ())
    assert not [one for one in found if "asks who reads it" in one.text]
