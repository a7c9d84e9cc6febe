"""The doctor says before the first run what the currencies of a shop would do to it."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from shopmill import datasets
from shopmill.settings import Settings
from shopmill.source.doctor import examine

SHOP = (
    "create table transactions (t_dat date, article_id text, price numeric, currency text);"
    "create table exchange_rates (day date, currency text, rate numeric);"
    "insert into transactions select '2020-01-01', 'a', 1, nullif(word, '') from unnest(array[{words}]) word;"
    "insert into exchange_rates select '2020-01-01', 'usd', rate from unnest(array[{rates}]::numeric[]) rate"
)


@pytest.mark.parametrize(
    ("words", "rates", "currency", "expected"),
    [
        (["EUR", " eur "], "", "", []),
        (["EUR", "USD"], "0.9", "EUR", []),
        (["EUR", "USD", "USD"], "0.9", "", [("error", "USD 2, EUR 1, and SHOPMILL_CURRENCY does not say")]),
        (["EUR", "USD"], "", "EUR", [("error", "no exchange rate for USD 1, and nothing is published")]),
        (["EUR", "USD"], "0", "EUR", [("error", "no exchange rate for USD 1, and nothing is published")]),
        (["USD", "€"], "0.9", "EUR", [("warn", "no exchange rate for € 1, and their rows are rejected")]),
        (["EUR", "", " "], "", "EUR", [("warn", "66.7% (2) are null or blank, and taken to be in EUR")]),
        (["", ""], "", "", []),
    ],
)
def test_what_is_said_of_currencies(
    settings: Settings,
    made: Callable[[str], str],
    words: list[str],
    rates: str,
    currency: str,
    expected: list[tuple[str, str]],
) -> None:
    dsn = made(SHOP.format(words=", ".join(f"'{word}'" for word in words), rates=rates))
    changed: dict[str, Any] = {"source_dsn": SecretStr(dsn), "currency": currency}
    found = examine(settings.model_copy(update=changed), datasets.load_all())
    about = [finding for finding in found if finding.subject == "transactions.currency"]
    assert [finding.level for finding in about] == [level for level, _ in expected]
    for finding, (_, said) in zip(about, expected, strict=True):
        assert said in finding.text
        assert finding.fix
        assert "timeseries" in finding.suffers


@pytest.mark.parametrize(
    ("first_day", "said"),
    [
        ("2019-12-31", []),
        ("2020-01-01", []),
        ("2020-01-02", ["USD 2 dated before their exchange rates begin (USD on 2020-01-02)"]),
        ("infinity", ["no exchange rate for USD 2"]),
    ],
)
def test_rates_that_begin_after_the_sales(
    settings: Settings, made: Callable[[str], str], first_day: str, said: list[str]
) -> None:
    dsn = made(
        SHOP.format(words="'EUR', 'USD', 'ｕｓｄ'", rates="0.9") + f"; update exchange_rates set day = '{first_day}'"
    )
    changed: dict[str, Any] = {"source_dsn": SecretStr(dsn), "currency": "EUR"}
    found = examine(settings.model_copy(update=changed), datasets.load_all())
    about = [finding.text for finding in found if finding.subject == "transactions.currency"]
    assert len(about) == len(said)
    assert all(words in text for words, text in zip(said, about, strict=True))
