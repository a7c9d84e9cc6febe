"""What `shopmill diff` says of two versions is what differs between them, row by row and column by column."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop
from made import DATASET, publish
from typer.testing import CliRunner, Result

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.column_diff import stability
from shopmill.trust.diff import VersionDiff, diff
from shopmill.trust.row_diff import RowDiff

FIRST, SECOND = "2020-09-22", "2020-09-23"
KEY = {"interactions": ["article_id"]}


def command(settings: Settings, *arguments: str) -> Result:
    environment = {"SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(), "COLUMNS": "120"}
    return CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, *arguments])


def row(number: int, score: float = 1.0, kind: str | None = "view") -> dict[str, Any]:
    return {"article_id": f"a{number:03}", "score": score, "kind": kind}


def compared(settings: Settings) -> VersionDiff:
    return diff(DATASET, FIRST, SECOND, settings)


def table(found: VersionDiff, name: str = "interactions") -> RowDiff:
    return next(one for one in found.tables if one.table == name)


def test_rows_are_added_removed_and_changed_by_the_declared_key(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [row(n) for n in range(10)]}, KEY)
    publish(settings, SECOND, {"interactions": [row(1, 2.0), row(2, kind=None), *map(row, range(3, 14))]}, KEY)
    found = table(compared(settings))
    assert (found.before, found.after) == (10, 13)
    assert (found.added, found.removed, found.changed) == (4, 1, 2)
    assert found.by_column == {"score": 1, "kind": 1}


def test_files_that_both_versions_have_are_not_compared_and_change_no_count(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [[row(1), row(2)], [row(3)]]}, KEY)
    publish(settings, SECOND, {"interactions": [[row(1), row(2)], [row(3, 9.0), row(4)]]}, KEY)
    found = compared(settings)
    assert (table(found).added, table(found).removed, table(found).changed) == (1, 0, 1)
    assert (found.same_files, len(found.after.all_files)) == (1, 2)


def test_a_table_all_of_whose_files_went_has_its_rows_removed(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [[row(1)], [row(2)]]}, KEY)
    publish(settings, SECOND, {"interactions": [[row(1)]]}, KEY)
    found = table(compared(settings))
    assert (found.added, found.removed, found.changed) == (0, 1, 0)


def test_rows_of_a_table_without_a_key_are_the_same_where_all_values_are(settings: Settings) -> None:
    publish(settings, FIRST, {"rejects": [row(1), row(1), row(2)]})
    publish(settings, SECOND, {"rejects": [row(1), row(1), row(1), row(3)]})
    found = table(compared(settings), "rejects")
    assert (found.added, found.removed, found.changed) == (2, 1, 0)


def test_a_table_that_only_one_version_has_is_named(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [row(1)], "old": [row(1)]}, KEY)
    publish(settings, SECOND, {"interactions": [row(1)], "new": [row(1), row(2)]}, KEY)
    found = compared(settings)
    assert (table(found, "old").before, table(found, "old").after) == (1, None)
    assert table(found, "new").note == "only the second version has it"
    assert table(found, "old").note == "only the first version has it"
    assert "only the second version has it" in command(settings, "diff", DATASET, FIRST, SECOND).stdout


def test_a_column_of_another_type_is_a_change_of_the_schema(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [{"article_id": "1", "score": 1, "gone": "x"}]}, KEY)
    publish(settings, SECOND, {"interactions": [{"article_id": "1", "score": 1.5, "come": "x"}]}, KEY)
    found = compared(settings)
    [columns] = [group for group in found.groups if group.heading == "Columns"]
    assert {(c.name, c.before, c.after) for c in columns.changes} == {
        ("interactions.come", "", "varchar"),
        ("interactions.gone", "varchar", ""),
        ("interactions.score", "bigint", "double"),
    }
    assert (table(found).changed, table(found).by_column) == (0, {})


def test_another_key_is_said_and_no_row_is_compared(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [row(1)]}, KEY)
    publish(settings, SECOND, {"interactions": [row(2)]}, {"interactions": ["kind"]})
    found = table(compared(settings))
    assert (found.added, found.note) == (None, "the key is another one, so rows cannot be compared")


def test_a_key_of_another_type_and_tables_without_a_common_column_are_said(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [{"k": "a"}], "rejects": [{"x": 1}]}, {"interactions": ["k"]})
    publish(settings, SECOND, {"interactions": [{"k": 1}], "rejects": [{"y": 1}]}, {"interactions": ["k"]})
    found = compared(settings)
    assert table(found).note == "the key has another type, so rows cannot be compared"
    assert table(found, "rejects").note == "no column is in both, so rows cannot be compared"


def test_the_biggest_movers_are_named_and_persons_are_not(settings: Settings) -> None:
    before = [{"customer_id": f"c{n}", "article_id": "a", "score": float(n)} for n in range(20)]
    after = [{**one, "score": 500.0 if one["customer_id"] == "c7" else one["score"] + 0.01} for one in before]
    key = {"interactions": ["customer_id", "article_id"]}
    publish(settings, FIRST, {"interactions": before}, key)
    publish(settings, SECOND, {"interactions": after}, key)
    found = compared(settings)
    name, first = found.movers[0]
    assert (name, first.column, first.key, first.before, first.after) == ("interactions", "score", "•••, a", "7", "500")
    deviation = math.sqrt(sum((n - 9.5) ** 2 for n in range(20)) / 20)
    assert first.deviations == pytest.approx(493 / deviation)
    assert "c7" not in command(settings, "diff", DATASET, FIRST, SECOND).stdout


def test_the_stability_index_is_that_of_the_textbook() -> None:
    assert stability({"a": 50, "b": 50}, {"a": 50, "b": 50}) == 0
    expected = (0.2 - 0.5) * math.log(0.2 / 0.5) + (0.8 - 0.5) * math.log(0.8 / 0.5)
    assert stability({"a": 50, "b": 50}, {"a": 20, "b": 80}) == pytest.approx(expected)
    assert stability({"a": 10}, {"b": 10}) == pytest.approx(2 * (0.9999 * math.log(1 / 0.0001)), rel=1e-3)


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (lambda n: row(n, n % 100), 0.0),
        (lambda n: row(n, n % 100 + 50), 3.0),  # half of the values lie above all that were there
        (lambda n: row(n, n % 100, None if n % 2 else "view"), 2.0),
    ],
)
def test_columns_that_moved_have_a_high_index(settings: Settings, moved: Any, expected: float) -> None:
    publish(settings, FIRST, {"interactions": [row(n, n % 100) for n in range(1000)]}, KEY)
    publish(settings, SECOND, {"interactions": [moved(n) for n in range(1001)]}, KEY)
    found = max(column.psi for column in compared(settings).columns)
    assert found == pytest.approx(expected, abs=0.001) if not expected else found > expected


def test_nulls_and_means_are_those_of_the_statistics(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [row(n, float(n)) for n in range(4)]}, KEY)
    publish(settings, SECOND, {"interactions": [row(n, float(n), None if n else "buy") for n in range(5)]}, KEY)
    found = {column.column: column for column in compared(settings).columns}
    assert found["kind"].nulls == (0, 0.8)
    assert found["score"].mean == ("1.5", "2")
    assert "article_id" not in found


def test_what_it_was_made_of_is_compared(settings: Settings) -> None:
    rows = {"interactions": [row(1)]}
    publish(settings, FIRST, rows, KEY, parameters={"half_life": "30"}, code={"tables/a.sql": "1" * 64})
    inputs = {"transactions": {"rows": 12, "sha256": "f" * 64}}
    made = {"parameters": {"half_life": "60"}, "code": {"tables/a.sql": "2" * 64}, "software": {"engine": "duckdb 9"}}
    publish(settings, SECOND, rows, KEY, inputs=inputs, **made)
    shown = command(settings, "diff", DATASET, FIRST, SECOND).stdout
    for line in (
        f"Inputs: transactions 10 rows, raw {'0' * 12} → 12 rows, raw {'f' * 12}",
        "Parameters: half_life 30 → 60",
        "Software: engine not there → duckdb 9",
        f"Code: tables/a.sql {'1' * 12} → {'2' * 12}",
    ):
        assert line in shown.splitlines()


def test_real_versions_in_one_screen_as_json_and_as_a_page(settings: Settings, shop_dsn: str, tmp_path: Path) -> None:
    sales = [
        {"t_dat": f"2020-09-{day:02}", "customer_id": f"c{day}", "article_id": "1", "price": day}
        for day in range(1, 23)
    ]
    fill_shop(shop_dsn, {"transactions": sales, "articles": [{"article_id": "1"}]})
    first, second = (
        steps.run_all(Run.create(datasets.load("timeseries"), day, settings, LENIENT)) for day in (FIRST, SECOND)
    )
    before = sorted(path for path in Path(settings.store).rglob("*") if path.is_file())
    shown = command(settings, "diff", "timeseries", first.version[:8], SECOND)
    assert shown.exit_code == 0, shown.output
    assert len(shown.stdout.splitlines()) <= 45
    assert "article_daily" in shown.stdout
    document = json.loads(command(settings, "diff", "timeseries", FIRST, second.version, "--json").stdout)
    assert (document["before"]["version"], document["after"]["as_of"]) == (first.version, SECOND)
    daily = next(one for one in document["tables"] if one["table"] == "article_daily")
    assert (daily["added"], daily["removed"]) == (1, 0)
    assert {"rows", "inputs"} <= document["changes"].keys()
    page = tmp_path / "new/diff.html"
    assert command(settings, "diff", "timeseries", FIRST, SECOND, "--html", str(page)).exit_code == 0
    assert "Rows by key" in page.read_text()
    assert "<style>" in page.read_text()
    assert sorted(path for path in Path(settings.store).rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", FIRST, SECOND), "There is no dataset 'nothing'"),
        ((DATASET, FIRST, "2019-01-01"), "no version as of 2019-01-01"),
        ((DATASET, FIRST, "zzz"), "has no version 'zzz': see `shopmill versions user_item_interactions`"),
        ((DATASET, FIRST, FIRST), "are the same version"),
        ((DATASET, FIRST, "{other}"), "is one of timeseries, not of user_item_interactions"),
        ((DATASET, FIRST, ""), "has 2 versions ''"),
    ],
)
def test_bad_input_is_one_sentence(settings: Settings, arguments: tuple[str, ...], said: str) -> None:
    publish(settings, FIRST, {"interactions": [row(1)]}, KEY)
    publish(settings, SECOND, {"interactions": [row(2)]}, KEY)
    other = publish(settings, FIRST, {"interactions": [row(1)]}, KEY, dataset="timeseries")
    result = command(settings, "diff", *(one.format(other=other.version) for one in arguments))
    assert isinstance(result.exception, InvalidInputError)
    assert said in str(result.exception)


def test_a_damaged_version_is_named(settings: Settings) -> None:
    publish(settings, FIRST, {"interactions": [row(1)]}, KEY)
    made = publish(settings, SECOND, {"interactions": [row(2)]}, KEY)
    path = Path(settings.store) / f"{DATASET}/as_of={SECOND}/version={made.version}/interactions/part-00000.parquet"
    path.unlink()
    result = command(settings, "diff", DATASET, FIRST, SECOND)
    assert f"{path} is missing" in str(result.exception)
