"""`shopmill rejects` shows which rows were rejected and why, and no person."""

import json

import duckdb
import pytest
from golden import LENIENT, fill_shop
from typer.testing import CliRunner, Result

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DATASET = "user_item_interactions"


@pytest.fixture
def shop(settings: Settings, shop_dsn: str) -> Settings:
    sale = {"t_dat": "2020-09-20", "article_id": "1", "price": 5, "customer_id": "anna-7"}
    events = [
        {
            "event_id": None,
            "customer_id": "anna-7",
            "event_type": "view",
            "article_id": "1",
            "event_datetime": "2020-09-20",
        }
    ]
    rows = {
        "articles": [{"article_id": "1"}],
        "transactions": [sale, *({**sale, "price": -price} for price in (1, 2, 3))],
        "events": events,
    }
    fill_shop(shop_dsn, rows)
    steps.run_all(Run.create(datasets.load(DATASET), "2020-09-21", settings, LENIENT))
    return settings


def command(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["--store", settings.store, "rejects", *arguments])


def test_rows_are_shown_with_reasons_and_without_people(shop: Settings) -> None:
    found = json.loads(command(shop, DATASET, "--json").stdout)
    assert found["rejected"] == sum(one["rows"] for one in found["reasons"]) == len(found["rows"]) >= 3
    rows = [one for one in found["rows"] if one["source_table"] == "transactions"]
    assert [one["source_row"]["customer_id"] for one in rows] == ["•••"] * 3
    assert {one["source_row"]["article_id"] for one in rows} == {"1"}
    assert all(one["source_day"] == "2020-09-20" for one in rows)
    shown = command(shop, DATASET, "--limit", "1")
    assert "anna" not in shown.stdout
    assert "more: raise --limit, or choose a --reason." in shown.stdout


def test_reasons_versions_and_limits_are_chosen(shop: Settings) -> None:
    every = json.loads(command(shop, DATASET, "--json").stdout)
    reason = next(one["reason"] for one in every["reasons"] if one["source_table"] == "transactions")
    some = json.loads(command(shop, DATASET, "--reason", reason.upper(), "--limit", "2", "--json").stdout)
    assert (some["rejected"], len(some["rows"]), {row["reason"] for row in some["rows"]}) == (3, 2, {reason})
    for options in (("--as-of", "2020-09-21"), ("--version", every["version"][:6])):
        assert json.loads(command(shop, DATASET, *options, "--json").stdout) == every


def test_a_query_that_somebody_left_unfinished_in_the_process_is_no_matter(shop: Settings) -> None:
    theirs = duckdb.execute("from range(3)")
    assert theirs.fetchone() == (0,)
    try:
        for arguments in ((DATASET,), (DATASET, "--reason", "negative")):
            assert command(shop, *arguments).exit_code == 0
        shown = CliRunner().invoke(cli.app, ["--store", shop.store, "show", DATASET])
        assert shown.exit_code == 0
    finally:
        theirs.fetchall()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "nothing"),
        (("articles_embeddings",), "rejects no rows"),
        ((DATASET, "--as-of", "2020-01-01"), "no version as of 2020-01-01"),
        ((DATASET, "--version", "zzz"), "no version 'zzz'"),
        ((DATASET, "--as-of", "2020-09-21", "--version", "a"), "exclude each other"),
        ((DATASET, "--reason", "o'clock"), 'rejected no row with "o\'clock". Reasons are: '),
    ],
)
def test_bad_input_is_one_sentence(shop: Settings, arguments: tuple[str, ...], said: str) -> None:
    result = command(shop, *arguments)
    assert isinstance(result.exception, InvalidInputError)
    assert said in str(result.exception)
