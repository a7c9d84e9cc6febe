"""Presets that were written from a schema and not run on the platform: its few tables on PostgreSQL, a few rows, what is mapped.

Each platform has its tables and rows in schemas/<platform>.sql, and what the preset makes of them in schemas/<platform>.yaml.
Columns that a row leaves out are not compared; GUEST stands for the keyed hash of guest@example.com.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from pydantic import SecretStr
from story import KEY, Rows, mapped_rows

from shopmill.settings import Settings
from shopmill.source.platforms import platforms

SCHEMAS = Path(__file__).parent / "schemas"
NAMES = sorted(path.stem for path in SCHEMAS.glob("*.sql"))
GUEST = hmac.new(KEY.encode(), b"guest@example.com", hashlib.sha256).hexdigest()


@pytest.fixture(scope="module", params=NAMES)
def shop(request: pytest.FixtureRequest, database: Callable[[], str]) -> tuple[str, str]:
    """A platform's name, and a database with its tables."""
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute((SCHEMAS / f"{request.param}.sql").read_text().encode())
    return request.param, dsn


def test_what_the_preset_makes_of_the_rows(shop: tuple[str, str], settings: Settings) -> None:
    name, dsn = shop
    found = mapped_rows(_settings(settings, name, dsn))
    for table, rows in yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text()).items():
        expected = [_plain(row) for row in rows]
        assert _sorted(found[table], expected) == _sorted(expected, expected), f"{name}.{table}"


def test_without_a_key_guests_are_nobody(shop: tuple[str, str], settings: Settings) -> None:
    name, dsn = shop
    found = mapped_rows(_settings(settings, name, dsn).model_copy(update={"pseudonym_key": SecretStr("")}))
    keyed = mapped_rows(_settings(settings, name, dsn))
    guests = [row for row in keyed["orders"] if str(row["customer_id"]).startswith("guest-")]
    assert sum(row["customer_id"] is None for row in found["orders"]) == len(guests)
    assert not any(
        str(row["customer_id"]).startswith("guest-") for row in [*found["customers"], *found["transactions"]]
    )
    assert "@" not in str(keyed)


def test_presets_are_proven_or_say_that_they_are_not() -> None:
    assert {platform.preset for platform in platforms() if not platform.proven} == set(NAMES)
    assert {platform.preset for platform in platforms() if platform.proven} == {"medusa", "oscar", "vendure"}


def _settings(settings: Settings, name: str, dsn: str) -> Settings:
    changes = {"mapping": name, "source_dsn": SecretStr(dsn), "currency": "EUR", "pseudonym_key": SecretStr(KEY)}
    return settings.model_copy(update=changes)


def _sorted(rows: Rows, like: Rows) -> list[str]:
    """The rows with the columns of the expected ones, in an order of their own."""
    names = {name for row in like for name in row}
    named = [{name: _plain_value(row.get(name)) for name in sorted(names)} for row in rows]
    return sorted(str(row) for row in named)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.replace("GUEST", GUEST) if isinstance(value, str) else value for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f"{Decimal(str(value)).normalize():f}" if is_number else value
