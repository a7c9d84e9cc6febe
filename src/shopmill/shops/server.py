"""The demo's server: databases and roles as a careful shop would have them."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from shopmill.shops.postgres import EmbeddedPostgres

READER_GRANTS = """
grant connect on database shop to shop_owner, shop_reader;
alter role shop_reader set default_transaction_read_only = on;
grant usage on schema public to shop_reader;
grant select on all tables in schema public to shop_reader;
alter default privileges for role shop_owner in schema public grant select on tables to shop_reader;
-- Everybody may make large objects unless that is revoked, and a read-only default can be switched off by the session.
revoke execute on function lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) from public;
"""


@dataclass(frozen=True)
class DemoServer:
    """A running server and the connection strings (secrets) of its databases."""

    postgres: EmbeddedPostgres

    @property
    def metadata_dsn(self) -> str:
        """Airflow's metadata, as role airflow."""
        return self.postgres.dsn("airflow", "airflow")

    @property
    def registry_dsn(self) -> str:
        """Shopmill's registry and vectors, as role shopmill, which may create schemas."""
        return self.postgres.dsn("registry", "shopmill")

    @property
    def shop_owner_dsn(self) -> str:
        """The shop as its owner: for loading it."""
        return self.postgres.dsn("shop", "shop_owner")

    @property
    def source_dsn(self) -> str:
        """The shop as shopmill sees it: SELECT on the tables of schema public and nothing else."""
        return self.postgres.dsn("shop", "shop_reader")


def demo_server(home: Path, port: int = 0) -> DemoServer:
    """Start the server of this folder and make what is missing in it; doing it again changes nothing."""
    postgres = EmbeddedPostgres(home, port).start()
    for role in ("airflow", "shopmill", "shop_owner", "shop_reader"):
        postgres.ensure_role(role)
    for database, owner in (("airflow", "airflow"), ("registry", "shopmill"), ("shop", "shop_owner")):
        postgres.ensure_database(database, owner)
    _execute(postgres.admin_dsn("postgres"), "create extension if not exists pg_stat_statements")
    _execute(postgres.admin_dsn("registry"), "create extension if not exists vector")
    _execute(postgres.admin_dsn("shop"), READER_GRANTS)
    return DemoServer(postgres)


def _execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(statements)
