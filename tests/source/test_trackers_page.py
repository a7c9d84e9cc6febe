"""The mappings in docs/trackers.md are run as they stand there, on the tables of each tracker, and give its golden rows.

A file of trackers/ has the section of the page, the tracker's tables with rows, and the events that the mapping makes of them.
`md5:` stands for the hash of what follows it, `means` for the event type that the tracker's vocabulary makes of the word.
"""

import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from pydantic import SecretStr

from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import open_source
from shopmill.source.mapping import load_mapping
from shopmill.vocabulary import EVENT_TYPES, PRESETS, event_words, normal

PAGE = (Path(__file__).parents[2] / "docs" / "trackers.md").read_text()
FILES = sorted((Path(__file__).parent / "trackers").glob("*.yaml"))
Rows = list[dict[str, Any]]


def mapping_of(section: str) -> str:
    """The SELECT of a section of the page."""
    [text] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    [select] = re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return str(select)


def mapped(settings: Settings, words: dict[str, str]) -> Rows:
    with open_source(settings, load_mapping(settings)) as source:
        select = source.selection(TABLES["events"]).select
        found = source.rows(TABLES["events"], f"select to_jsonb(mapped)::text from (\n{select}\n) as mapped")
    rows: Rows = [json.loads(str(text), parse_float=Decimal, parse_int=Decimal) for (text,) in found]
    return [{**row, "means": words[normal(row["event_type"])]} for row in rows]


def expected(rows: Rows) -> Rows:
    return [
        {name: Decimal(str(value)) if isinstance(value, int | float) else hashed(value) for name, value in row.items()}
        for row in rows
    ]


def hashed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("md5:"):
        return hashlib.md5(value[4:].encode(), usedforsecurity=False).hexdigest()
    return value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_mapping_of_the_page_gives_the_golden_rows(
    path: Path, settings: Settings, database: Callable[[], str], tmp_path: Path
) -> None:
    case = yaml.safe_load(path.read_text())
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute(case["tables"].encode())
    (tmp_path / "events.sql").write_text(mapping_of(case["section"]))
    own = settings.model_copy(update={"source_dsn": SecretStr(dsn), "mapping": str(tmp_path)})
    for vocabulary in case["vocabularies"]:
        found = mapped(own, event_words(vocabulary, ""))
        assert sorted(found, key=lambda row: str(row["event_id"])) == sorted(
            expected(case["events"]), key=lambda row: str(row["event_id"])
        )


def test_every_tracker_has_a_section_with_golden_rows() -> None:
    covered = {vocabulary for path in FILES for vocabulary in yaml.safe_load(path.read_text())["vocabularies"]}
    assert covered == set(PRESETS) - {"canonical"}


@pytest.mark.parametrize("word", EVENT_TYPES)
def test_the_page_says_what_each_event_type_is_called(word: str) -> None:
    assert f"`{word}`" in PAGE.partition("## ")[0]
