"""The complete example of docs/your-shop.md is run as it stands there, and gives the numbers of its table."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from golden import published_rows
from pydantic import SecretStr

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings, load_settings
from shopmill.source.doctor import examine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-shop.md").read_text().partition("## A complete example")[2]
SHOP = (ROOT / "tests" / "cli" / "shop_of_its_own.sql").read_text()
COLUMNS = ("customer_id", "article_id", "purchase_count", "unit_count", "spend_sum", "return_count")


@pytest.fixture
def shop(settings: Settings, database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The shop of the page with its files, in a folder of their own."""
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute(SHOP.encode())
    for name, text in re.findall(r"`(mapping/[\w/]+\.sql)`.*?\n```sql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    [toml] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "shopmill.toml").write_text(toml)
    monkeypatch.chdir(tmp_path)
    kept = {name: getattr(settings, name) for name in ("store", "registry_dsn", "encoder_folder")}
    return load_settings(**kept, source_dsn=SecretStr(dsn), pseudonym_key=SecretStr("known to nobody"))


def test_doctor_finds_no_error(shop: Settings) -> None:
    found = {finding.subject: finding for finding in examine(shop, datasets.load_all())}
    assert [finding for finding in found.values() if finding.level == "error"] == []
    assert found["exchange_rates"].text == "1 rows"
    assert "purchase" not in found["events.event_type"].text


def test_what_comes_out_is_what_the_page_says(shop: Settings) -> None:
    run = Run.create(datasets.load("user_item_interactions"), "2026-11-01", shop)
    steps.run_all(run)
    rows = published_rows(run, run.versions.need(run.as_of), "interactions", [dict.fromkeys(COLUMNS)])
    found = {
        ("guest-…" if row["customer_id"].startswith("guest-") else row["customer_id"], row["article_id"]): row
        for row in rows
    }
    told = re.findall(r"^\| (7|guest-…) \| ([\w-]+) \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(told) == 2
    for who, article, numbers in told:
        assert [found[who, article][name] for name in COLUMNS[2:]] == [
            Decimal(number).normalize() for number in numbers.split(" | ")
        ]
