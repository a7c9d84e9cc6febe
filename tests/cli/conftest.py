"""A folder with settings and a published version, and the command line in it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from golden import fill_shop

from shopmill.cli import app as cli

DATASET, AS_OF = "user_item_interactions", "2020-09-23"
LENIENT = ["-p", "max_reject_share=1"]
SHOP = {
    "transactions": [
        {"t_dat": "2020-09-22", "customer_id": "c[bold]1", "article_id": "0001", "price": 1, "sales_channel_id": 1}
    ],
    "articles": [{"article_id": "0001"}],
    "customers": [{"customer_id": "c[bold]1"}],
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(new_shop: Callable[[], str], database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with settings and a published version, and a registry in which nobody else's runs are."""
    folder = tmp_path_factory.mktemp("home")
    dsn, registry_dsn = new_shop(), database()
    fill_shop(dsn, SHOP)
    (folder / ".shopmill").mkdir()
    (folder / ".shopmill/env").write_text(
        f"SHOPMILL_STORE={folder}/store\nSHOPMILL_SOURCE_DSN={dsn}\nSHOPMILL_REGISTRY_DSN={registry_dsn}\n"
    )
    return folder


@pytest.fixture
def shopmill(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, which is quicker than a new one."""
    monkeypatch.chdir(home)
    for name in ("STORE", "SOURCE_DSN", "REGISTRY_DSN"):
        monkeypatch.delenv(f"SHOPMILL_{name}", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["shopmill", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def published(shopmill: Run) -> dict[str, object]:
    code, out, _ = shopmill("run", DATASET, "--as-of", AS_OF, *LENIENT, "--json")
    assert code == 0
    summary: dict[str, object] = json.loads(out)
    return summary
