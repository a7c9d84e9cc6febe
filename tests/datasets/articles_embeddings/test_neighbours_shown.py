"""What a person sees of neighbours: a line for all articles of one text."""

import json
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from embeddings_runs import BOLT, DRESS, GOWN, NAME, build, catalogue

from shopmill.cli import app as cli
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres

Shell = Callable[..., str]
SAME_DRESS = [{**DRESS, "article_id": number} for number in ("0007", "0005")]
SAME_GOWN = {**GOWN, "article_id": "0009"}


@pytest.fixture
def shell(
    settings: Settings,
    postgres: EmbeddedPostgres,
    database: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """The command line in a shop with three dresses of one text, two gowns of another, and a bolt."""
    dsn = database()
    with psycopg.connect(postgres.admin_dsn(str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))) as admin:
        admin.execute("create extension vector")
    used = Settings(**{**settings.model_dump(), "registry_dsn": dsn})
    catalogue(used, "2020-09-22", DRESS, *SAME_DRESS, GOWN, SAME_GOWN, BOLT)
    build(used, NAME, "2020-09-22")
    monkeypatch.setenv("SHOPMILL_STORE", used.store)
    monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", dsn)
    monkeypatch.setenv("SHOPMILL_ENCODER_FOLDER", str(used.encoder_folder))

    def run(*arguments: str) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["shopmill", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert ended.value.code in {None, 0}, printed.err
        return str(printed.out)

    return run


def rows(document: str) -> list[tuple[Any, ...]]:
    return [(row["article_id"], row["articles"], row["article_ids"]) for row in json.loads(document)]


def test_articles_of_one_text_are_one_line(shell: Shell) -> None:
    head, same, gown, bolt, *said = shell("similar", "0003").splitlines()
    assert head.split() == ["article_id", "articles", "similarity", "text"]
    assert same.split()[:4] == ["0005", "2", "1.0", "summer"], "the others of the same text come first"
    assert gown.split()[:2] + gown.split()[3:5] == ["0001", "2", "evening", "gown."]
    assert bolt.split()[:2] + bolt.split()[3:5] == ["0002", "1", "hex", "bolt."]
    assert said == ["A line stands for all articles of one text: --each lists them one by one."]
    searched = shell("search", "a dress for the evening", "-k", "1").splitlines()
    assert searched[1].split()[:2] == ["0001", "2"]
    assert len(searched) == 3

    assert rows(shell("similar", "0003", "--json")) == [
        ("0005", 2, ["0005", "0007"]),
        ("0001", 2, ["0001", "0009"]),
        ("0002", 1, ["0002"]),
    ]
    assert rows(shell("similar", "0003", "-k", "1", "--json")) == [
        ("0005", 2, ["0005", "0007"]),
        ("0001", 2, ["0001", "0009"]),
    ], "those of the same text come beside the one that was asked for"
    assert rows(shell("similar", "0002", "-k", "1", "--json")) == [("0003", 3, ["0003", "0005", "0007"])]

    each = shell("similar", "0003", "--each").splitlines()
    assert [line.split()[0] for line in each] == ["article_id", "0005", "0007", "0001", "0009", "0002"]
    assert each[0].split() == ["article_id", "similarity", "text"]
    assert [row["article_id"] for row in json.loads(shell("similar", "0003", "--each", "-k", "3", "--json"))] == [
        "0005",
        "0007",
        "0001",
    ]
