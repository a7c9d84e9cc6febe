from pathlib import Path

import pytest
from shelf import Shelf

from shopmill.settings import Settings


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty store, and a registry at whose address nobody listens."""
    return Shelf(
        Settings(_env_file=None, store=str(tmp_path / "store"), registry_dsn="postgresql://nobody@127.0.0.1:1/registry")
    )
