"""One real PostgreSQL for the whole test run, and fresh databases in it."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopmill.shops.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    # Not pytest's own temporary folder: that is private, and the server of a root user runs as nobody.
    with tempfile.TemporaryDirectory(prefix="shopmill-postgres-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder)) as server:
            server.ensure_role("tester")
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
