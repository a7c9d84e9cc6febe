"""One real PostgreSQL for the whole test run, fresh databases in it, and a shop, a registry and a store for settings."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest

import quick_spark
from object_store import new_bucket, serving, way_to
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres

ELSEWHERE = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
FSYNC = pytest.StashKey[Callable[[int], None]]()
LEFT_BEHIND = ("SHOPMILL_", "AWS_", "AIRFLOW_", "OPENLINEAGE_")
"""What a demo, a shell or a deployment may have set: no test depends on it. SHOPMILL_TEST_ is for the tests themselves."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Tests see neither the variables nor the settings file nor the caches of whoever starts them.

    The working directory is an empty folder: `.shopmill/env` of a demo in the repository is not read.
    """
    for name in [name for name in os.environ if name.startswith(LEFT_BEHIND) and not name.startswith("SHOPMILL_TEST_")]:
        del os.environ[name]
    session.config.stash[ELSEWHERE] = folder = tempfile.TemporaryDirectory(prefix="shopmill-tests-")
    os.environ["XDG_CACHE_HOME"] = f"{folder.name}/cache"
    # Nobody cuts the power of a test, and a run syncs 200 times. What would be lost is seen by `power_cut`, not by the disk.
    session.config.stash[FSYNC], os.fsync = os.fsync, lambda _handle: None
    # Airflow writes a configuration wherever it is imported: not into the home of whoever runs the tests.
    os.environ["AIRFLOW_HOME"] = f"{folder.name}/airflow"
    (Path(folder.name) / "empty").mkdir()
    if not session.config.pluginmanager.hasplugin("dsession"):  # who hands tests out starts its processes where it is
        os.chdir(Path(folder.name) / "empty")


def pytest_sessionfinish(session: pytest.Session) -> None:
    os.fsync = session.config.stash[FSYNC]
    os.chdir(session.config.invocation_params.dir)
    session.config.stash[ELSEWHERE].cleanup()


@pytest.fixture
def really_synced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is synced is on the disk, as it is everywhere but in the tests."""
    monkeypatch.setattr(os, "fsync", request.config.stash[FSYNC])


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    # Not pytest's own temporary folder: that is private, and the server of a root user runs as nobody.
    with tempfile.TemporaryDirectory(prefix="shopmill-postgres-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder)) as server:
            server.ensure_role("tester")
            with psycopg.connect(server.admin_dsn(), autocommit=True) as connection:
                # Nobody misses its data, and databases are made sooner.
                connection.execute("alter system set fsync = off")
                connection.execute("select pg_reload_conf()")
            yield server


@pytest.fixture(scope="session")
def database(postgres: EmbeddedPostgres) -> Callable[[], str]:
    """Make an empty database and return the connection string of its owner (an ordinary role)."""
    numbers = itertools.count(1)

    def create() -> str:
        name = f"test_{os.getpid()}_{next(numbers)}"
        postgres.ensure_database(name, owner="tester")
        return postgres.dsn(name, "tester")

    return create


@pytest.fixture(scope="session")
def new_shop(database: Callable[[], str]) -> Callable[[], str]:
    """Make a database with the empty tables of the canonical shop, without keys: views of a shop have none."""

    def create() -> str:
        dsn = database()
        with psycopg.connect(dsn) as connection:
            connection.execute((files("shopmill.shops") / "schema.sql").read_text().encode())
            for table, key in (("customers", "customer_id"), ("articles", "article_id")):
                connection.execute(
                    f"alter table {table} drop constraint {table}_pkey, alter {key} drop not null".encode()
                )
        return dsn

    return create


@pytest.fixture(scope="session")
def shop_dsn(new_shop: Callable[[], str]) -> str:
    """The shop that tests share: each fills it with its own rows, and none changes its tables."""
    return new_shop()


@pytest.fixture(scope="session")
def registry_dsn(database: Callable[[], str]) -> str:
    """An empty database for the registry."""
    return database()


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sentence model becomes an ONNX file, once."""
    return tmp_path_factory.mktemp("encoder")


@pytest.fixture
def settings(shop_dsn: str, registry_dsn: str, encoder_folder: Path, tmp_path: Path) -> Settings:
    """Settings with a store of the test's own."""
    return Settings(
        _env_file=None,
        store=str(tmp_path / "store"),
        source_dsn=shop_dsn,
        registry_dsn=registry_dsn,
        encoder_folder=encoder_folder,
    )


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a real S3 server."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def s3_store(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of an empty store in a bucket of its own, with the environment set to reach it, and nothing cached."""
    for name, value in {**way_to(s3_endpoint), "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return new_bucket(s3_endpoint, f"bucket-{os.urandom(4).hex()}")


@pytest.fixture(scope="session")
def spark_settings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Settings for Spark on this machine, quick to start and to plan."""
    for name, value in quick_spark.environment(tmp_path_factory.mktemp("spark")).items():
        os.environ.setdefault(name, value)
    return {"engine": "spark", "spark_master": "local[2]", "memory_limit": "1GB"}


CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",  # for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: `make services`")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_OPTIONS))
        yield chromium
        chromium.close()


SHARED = ("tests/airflow/", "tests/platforms/", "spark")
LONG = (
    *SHARED,
    "tests/demo/test_cluster.py",
    "tests/demo/test_demo.py",
    "tests/datasets/timeseries/",
    "tests/datasets/customer_features/",
    "tests/deploy/test_backup.py",
    "tests/deploy/test_prometheus.py",
    "tests/datasets/",
    "tests/shops/",
    "tests/deploy/",
)
"""What takes longest begins first, so that at the end no process works alone for minutes."""


def _place(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(LONG) if name in item.nodeid), len(LONG))


RUNS_TODAY = "tests/airflow/test_catalogue.py"
"""Last among those that share its shop: what is added to the past after a run of today is not read again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_place(item), RUNS_TODAY in item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives the tests of a file to one process, and those that share an Airflow or a Spark to one as well."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatTheyShare(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((name for name in SHARED if name in nodeid), nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # it would put a file of one long test last
    return ByWhatTheyShare(config, log)


@pytest.fixture
def made(database: Callable[[], str]) -> Callable[[str], str]:
    """A database of some statements."""

    def make(statements: str) -> str:
        dsn = database()
        with psycopg.connect(dsn) as connection:
            connection.execute(statements.encode())
        return dsn

    return make
