"""What happens to a running shop, and what shopmill publishes of it.

Orders are placed, everything is moved sixty days into the past, and all datasets that the platform feeds are published.
Then old orders change and new ones are placed, yesterday, and the same store is brought up to date. A second store that
starts then must hold the same.
"""

import hashlib
import hmac
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from running import PlatformShop, Total, pass_days

from shopmill import datasets
from shopmill.errors import MissingTableError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.mapping import load_mapping
from shopmill.versions.load import Version

KEY = "a key that only the shop knows"
DAYS_AGO = 60
LENIENT = {"max_reject_share": 1, "max_row_drop": 1}
OF_ONE = {"customer_features": {"max_customer_loss": 1}, "events_and_funnels": {"late_days": 1}}
DATASETS = (
    "user_item_interactions",
    "articles_content",
    "customer_features",
    "timeseries",
    "events_and_funnels",
    "reviews_nlp",
)
LACKS = {"medusa": ("reviews_nlp",), "vendure": ("reviews_nlp",)}
"""The datasets that a platform does not feed: it keeps no reviews."""
OTHER_CURRENCY = {"oscar": ("EUR", "USD", "0.9"), "medusa": ("EUR", "USD", "0.9"), "vendure": ("USD", "EUR", "1.1")}

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Chapter:
    """The shop at one moment: what the platform says, what the mapping makes of it, and the settings of the store."""

    totals: list[Total]
    mapped: dict[str, Rows]
    settings: Settings
    as_of: str

    def published(self, dataset: str, table: str | None = None) -> Rows:
        found: Rows = Version(dataset, self.as_of, self.settings).to_arrow(table).to_pylist()
        return found

    def version(self, dataset: str) -> Version:
        return Version(dataset, self.as_of, self.settings)


@dataclass(frozen=True)
class Story:
    """A shop before and after its old orders changed; `anew` is a store that began after it."""

    shop: PlatformShop
    before: Chapter
    after: Chapter
    anew: Chapter

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(name for name in DATASETS if name not in LACKS.get(self.shop.name, ()))


def tell(shop: PlatformShop, registry_dsn: str, encoder_folder: Path, folder: Path) -> Story:
    own, other, rate = OTHER_CURRENCY[shop.name]
    settings = settings_of(shop, registry_dsn, encoder_folder, folder / "store", own)
    shop.step("place")
    pass_days(shop.owner_dsn, DAYS_AGO)
    with psycopg.connect(shop.owner_dsn) as connection:
        connection.execute("create table exchange_rates (day date, currency text, rate numeric)")
        connection.execute("insert into exchange_rates values ('2020-01-01', %s, %s)", [other, rate])
    today = datetime.now(settings.zone).date()
    before = _chapter(shop, settings, str(today - timedelta(days=DAYS_AGO - 3)))
    shop.step("later")
    pass_days(shop.owner_dsn, 1)
    after = _chapter(shop, settings, str(today))
    anew = _chapter(shop, settings_of(shop, registry_dsn, encoder_folder, folder / "second", own), after.as_of)
    return Story(shop, before, after, anew)


def settings_of(shop: PlatformShop, registry_dsn: str, encoder_folder: Path, store: Path, currency: str) -> Settings:
    return Settings(
        _env_file=None,
        store=str(store),
        source_dsn=SecretStr(shop.reader_dsn),
        registry_dsn=SecretStr(registry_dsn),
        encoder_folder=encoder_folder,
        mapping=shop.name,
        currency=currency,
        time_zone="Europe/Stockholm",
        lookback_days=1,  # old days are read again because something in them changed, and for no other reason
        pseudonym_key=SecretStr(KEY),
    )


def _chapter(shop: PlatformShop, settings: Settings, as_of: str) -> Chapter:
    lacks = LACKS.get(shop.name, ())
    for name in DATASETS:
        if name not in lacks:
            steps.run_all(Run.create(datasets.load(name), as_of, settings, LENIENT | OF_ONE.get(name, {})))
    return Chapter(shop.totals(), mapped_rows(settings), settings, as_of)


def mapped_rows(settings: Settings) -> dict[str, Rows]:
    """The rows that the preset makes of the shop's tables, as PostgreSQL gives them to the role that reads."""
    mapping = load_mapping(settings)
    found: dict[str, Rows] = {}
    with open_source(settings, mapping) as source:
        for name, table in TABLES.items():
            with suppress(MissingTableError):
                query = f"select to_jsonb(mapped)::text from (\n{source.selection(table).select}\n) as mapped"
                found[name] = [_row(row[0]) for row in source.rows(table, query)]
    return found


def guest(address: str) -> str:
    """The customer_id of somebody without an account."""
    return f"guest-{hmac.new(KEY.encode(), address.encode(), hashlib.sha256).hexdigest()}"


def by_name(story: Story) -> dict[str, dict[str, Any]]:
    return {row["prod_name"]: row for row in story.after.mapped["articles"]}


def _row(text: Any) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(str(text), parse_float=Decimal, parse_int=Decimal)
    return row
