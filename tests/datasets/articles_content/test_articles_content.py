"""What golden cases cannot say of articles_content: bytes, announcements, warnings, laws for any catalogue."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from golden import LENIENT, fill_shop, published_rows
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from arrow_types import ARROW
from shopmill import datasets
from shopmill.datasets.articles_content.dataset import DATASET, SHOP_COLUMNS, text_parts
from shopmill.engine.compose import statement
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES

DAY = date(2020, 9, 21)
Row = dict[str, Any]


def build(settings: Settings, as_of: date, **parameters: Any) -> tuple[Run, Published]:
    run = Run.create(datasets.load("articles_content"), str(as_of), settings, {**LENIENT, **parameters})
    return run, steps.run_all(run)


def give(settings: Settings, *articles: Row) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": articles})


def test_the_columns_of_the_shop_are_those_of_the_contract() -> None:
    contract = [(column.name, column.type) for column in TABLES["articles"].columns]
    assert [(column.name, column.type) for column in SHOP_COLUMNS] == contract[:-1]
    assert contract[-1] == ("misfits", "varchar")


# --- texts ---------------------------------------------------------------------------------------------------------


def test_a_text_is_made_of_attributes_as_well(settings: Settings, tmp_path: Path) -> None:
    give(settings, {"article_id": "0001", "prod_name": "Cup"}, {"article_id": "0002", "prod_name": "Pot"})
    (tmp_path / "articles.sql").write_text(
        "select article_id, prod_name, case article_id when '0001' then ' hard  porcelain' end as \"Größe\" from articles"
    )
    own = settings.model_copy(update={"mapping": str(tmp_path)})
    run, _ = build(own, DAY, content_columns="Größe,prod_name")
    rows = published_rows(run, run.versions.need(run.as_of), "articles", [{"article_id": "", "content_text": ""}])
    assert [row["content_text"] for row in rows] == ["hard porcelain. Cup", "Pot"]


@pytest.mark.parametrize(
    ("named", "words"),
    [(" , ", "names no column"), ("prod_name,a.b", "'a.b': give"), ("prod_name,prod_name", "twice")],
)
def test_columns_that_cannot_be_named(settings: Settings, named: str, words: str) -> None:
    give(settings, {"article_id": "0001", "prod_name": "Cup"})
    with pytest.raises(InvalidInputError, match=words):
        build(settings, DAY, content_columns=named)


# --- bytes ---------------------------------------------------------------------------------------------------------

LARGE = """
    insert into articles (article_id, product_code, prod_name, product_type_no, product_type_name, product_group_name,
                          colour_group_code, colour_group_name, index_group_name, detail_desc, price, stock)
    select lpad((n / 10 * 10 + n %% 9)::text, 10, '0'), (n / 3)::text, 'Product ' || n %% 1000, n %% 50,
           'Type ' || n %% 50, 'Group ' || n %% 7, n %% 20, 'Colour ' || n %% 20, 'Index ' || n %% 5,
           case when n %% 11 > 0 then 'Text  of ' || md5((n / %(texts)s)::text) end,
           case when n %% 13 > 0 then (n * 7919 %% 5000) / 100.0 - case when n %% 997 = 0 then 99 else 0 end end,
           n %% 321
    from generate_series(1, 135000) as n where n %% %(without)s > 0
"""


def fill(settings: Settings, day: int) -> None:
    """A catalogue larger than a row group: with repeated ids, ties, nulls, and other articles on another day."""
    give(settings)
    with psycopg.connect(settings.source_dsn.get_secret_value()) as connection:
        connection.execute(LARGE, {"texts": 2 + day, "without": 40 + day})


def test_bytes_are_the_same_on_one_and_two_threads_and_on_a_second_run(settings: Settings) -> None:
    made = []
    for day in range(2):
        fill(settings, day)
        made.append(build(settings.model_copy(update={"threads": 2}), DAY + timedelta(day))[1])
    assert made[1].rejected > 100
    assert 0 < made[1].announced["articles_texts"] < made[1].rows
    for threads in (1, 2):
        again = [build(settings.model_copy(update={"threads": threads}), DAY + timedelta(day))[1] for day in range(2)]
        # The version is a hash of the files' hashes.
        assert [(s.status, s.version) for s in again] == [("unchanged", s.version) for s in made]


# --- announcements -------------------------------------------------------------------------------------------------


def shirts(count: int, **same: Any) -> list[Row]:
    return [{"article_id": f"{n:04}", "prod_name": "shirt", "detail_desc": "soft", **same} for n in range(count)]


def test_the_embeddings_are_woken_by_texts_and_by_nothing_else(settings: Settings) -> None:
    def announced(day: int, articles: list[Row], **parameters: Any) -> dict[str, int]:
        give(settings, *articles)
        return build(settings, DAY + timedelta(day), **parameters)[1].announced

    assert announced(0, shirts(5)) == {"articles_texts": 5}
    assert announced(1, shirts(5, price=10, stock=3, colour_group_code=7)) == {}
    assert announced(2, shirts(5, price=12)) == {}
    assert announced(3, [*shirts(4), *shirts(5, detail_desc="softer")[4:]]) == {"articles_texts": 1}
    assert announced(4, [*shirts(2), *shirts(5, detail_desc="hard")[2:]], min_text_changes=4) == {}
    assert announced(5, shirts(1), min_text_changes=4) == {"articles_texts": 4}, "removed texts leave the index"


def test_a_text_put_together_in_another_way_than_before_has_changed_though_no_field_has(engine: DuckDBEngine) -> None:
    shirt: Row = {"article_id": "1", "prod_name": "shirt"}
    put(engine, "source_articles", [shirt])
    put(
        engine,
        "previous_articles",
        [{**shirt, "is_active": True, "first_seen": DAY, "content_hash": "of another text"}],
    )
    put(engine, "articles", compute(engine, "articles", DAY))
    (change,) = compute(engine, "catalogue_changes", DAY)
    assert change == {"article_id": "1", "change": "changed", "changed_fields": "", "text_changed": True}


# --- checks that warn, rejects -------------------------------------------------------------------------------------


def failing(run: Run) -> dict[str, str]:
    checks = run.versions.need(run.as_of).beside["checks"]
    return {check["name"]: check["detail"] for check in checks if not check["passed"]}


def test_a_catalogue_that_contradicts_itself_is_published_with_warnings(settings: Settings) -> None:
    give(
        settings,
        {"article_id": "1", "section_no": 1, "section_name": "A", "index_code": "X", "index_name": "x"},
        {"article_id": "2", "section_no": 1, "section_name": "B", "index_code": "X", "index_name": None},
        {"article_id": "3", "section_no": 2, "section_name": "A", "index_code": None, "index_name": "x"},
        {"article_id": "4", "product_type_no": 5, "product_group_name": "G"},
        {"article_id": "5", "product_type_no": 5, "product_group_name": "H"},
        {"article_id": "6", "product_type_no": 6, "product_group_name": None},
        {"article_id": "7", "product_type_name": "T", "product_group_name": "G", "stock": -1},
    )
    run, published = build(settings, DAY)
    assert published.status == "published"
    assert failing(run) == {
        "has a text": "",
        "stock at least 0": "",
        "one name per code": "index_code: 1 (such as X), section_no: 1 (such as 1)",
        "one group per product type": "2 product types have several groups or none, such as 5",
        "descriptions": "7 of 7 active articles have no description",
    }


def test_a_consistent_catalogue_has_no_warnings_and_deleted_articles_raise_none(settings: Settings) -> None:
    sound = {"section_no": 1, "section_name": "A", "product_type_no": 5, "product_group_name": "G", "detail_desc": "d"}
    give(settings, {**sound, "article_id": "1"}, {**sound, "article_id": "2", "section_name": "B", "detail_desc": " "})
    run, _ = build(settings, DAY)
    assert set(failing(run)) == {"one name per code", "descriptions"}
    give(settings, {**sound, "article_id": "1"})
    run, _ = build(settings, DAY + timedelta(1))
    assert failing(run) == {}


@pytest.mark.parametrize(("limit", "warned"), [("0.25", set()), ("0.24", {"descriptions"})])
def test_descriptions_may_be_missing_up_to_a_share(settings: Settings, limit: str, warned: set[str]) -> None:
    give(settings, *shirts(3), {"article_id": "x", "prod_name": "shirt"})
    run, _ = build(settings, DAY, max_missing_description_share=limit)
    assert set(failing(run)) == warned


def test_a_rejected_row_is_kept_whole(settings: Settings) -> None:
    values = {"varchar": "é\n'\"", "boolean": True}
    row = {column.name: values.get(column.type, 7) for column in SHOP_COLUMNS if column.name != "attributes"}
    give(settings, {**row, "article_id": "0001", "price": Decimal("-0.000001")}, {"article_id": "0002"})
    run, _ = build(settings, DAY)
    (reject,) = published_rows(run, run.versions.need(run.as_of), "rejects", [])
    assert reject["reason"] == "price is negative"
    texts = {name: str(value) for name, value in row.items()} | {"is_listed": "true", "attributes": None}
    assert json.loads(reject["source_row"]) == {**texts, "article_id": "0001", "price": "-0.000001"}


# --- laws ----------------------------------------------------------------------------------------------------------

PRICES = st.none() | st.decimals(Decimal(0), Decimal(99), places=2)
ARTICLE = st.tuples(st.sampled_from(["red", "blue"]), st.sampled_from(["hats", "shoes"]), PRICES)
CATALOGUES = st.lists(st.dictionaries(st.sampled_from("abcdef"), ARTICLE), min_size=1, max_size=4)
Catalogue = Mapping[str, tuple[str, str, Decimal | None]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(Settings(_env_file=None), tmp_path_factory.mktemp("engine")) as opened:
        opened.table("text_parts", text_parts(DATASET.parse_parameters({}))["text_parts"])
        yield opened


def compute(engine: DuckDBEngine, table: str, as_of: date) -> list[Row]:
    return engine.rows(statement(DATASET, DATASET.table(table)), {"as_of": as_of})


def put(engine: DuckDBEngine, name: str, rows: Sequence[Row]) -> None:
    """Make rows, null where they say nothing, known to the engine in the shape of `articles`."""
    columns = (*DATASET.table("articles").columns, TABLES["articles"].columns[-1])
    engine.table(name, pa.table({c.name: pa.array([row.get(c.name) for row in rows], ARROW[c.type]) for c in columns}))


def days(engine: DuckDBEngine, catalogues: list[Catalogue]) -> Iterator[tuple[date, Catalogue, list[Row], list[Row]]]:
    """Each catalogue, a day after the other, as the tables `articles` and `catalogue_changes`."""
    articles: list[Row] = []
    for number, catalogue in enumerate(catalogues):
        as_of = DAY + timedelta(number)
        names = ("prod_name", "product_group_name", "price")
        listed = [{"article_id": key, **dict(zip(names, values, strict=True))} for key, values in catalogue.items()]
        put(engine, "source_articles", listed)
        put(engine, "previous_articles", articles)
        articles = compute(engine, "articles", as_of)
        put(engine, "articles", articles)
        yield as_of, catalogue, articles, compute(engine, "catalogue_changes", as_of)


LAW = hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LAW
@given(CATALOGUES)
def test_history_is_that_of_the_catalogues(engine: DuckDBEngine, catalogues: list[Catalogue]) -> None:
    seen: dict[str, list[date]] = {}
    known: dict[str, tuple[str, str, Decimal | None]] = {}
    yesterday: Catalogue = {}
    for as_of, catalogue, articles, changes in days(engine, catalogues):
        expected = {key: expected_change(key, catalogue, yesterday, known) for key in {*catalogue, *known}}
        for key, values in catalogue.items():
            seen.setdefault(key, []).append(as_of)
            known[key] = values
        assert [
            (row["article_id"], row["first_seen"], row["last_seen"], row["is_active"], row["prod_name"])
            for row in articles
        ] == [(key, dates[0], dates[-1], key in catalogue, known[key][0]) for key, dates in sorted(seen.items())]
        found = {row["article_id"]: (row["change"], row["changed_fields"], row["text_changed"]) for row in changes}
        assert found == {key: change for key, change in expected.items() if change}
        yesterday = catalogue


def expected_change(
    key: str, now: Catalogue, before: Catalogue, known: Mapping[str, tuple[str, str, Decimal | None]]
) -> tuple[str, str, bool] | None:
    """The change of one article, or None, by the words of the documentation."""
    if key not in known:
        return "added", "", True
    if key not in now:
        return ("removed", "", True) if key in before else None
    changed = [new != old for new, old in zip(now[key], known[key], strict=True)]
    named = zip(("prod_name", "product_group_name", "price"), changed, strict=True)
    fields = ",".join(sorted(name for name, differs in named if differs))
    if key not in before:
        return "returned", fields, True
    return ("changed", fields, changed[0] or changed[1]) if fields else None


@LAW
@given(CATALOGUES)
def test_proportions_are_exact_within_the_catalogue_of_the_day(
    engine: DuckDBEngine, catalogues: list[Catalogue]
) -> None:
    for _, catalogue, articles, _ in days(engine, catalogues):
        prices = [price for _, _, price in catalogue.values() if price is not None]
        for row in articles:
            _, group, price = catalogue.get(row["article_id"], ("", "", None))
            if price is None:
                assert row["price_normalised"] is row["price_percentile_in_group"] is None
                continue
            span = max(prices) - min(prices)
            assert row["price_normalised"] == (float(price - min(prices)) / float(span) if span else 0)
            others = [
                p for key, (_, g, p) in catalogue.items() if g == group and p is not None and key != row["article_id"]
            ]
            cheaper = sum(other < price for other in others)
            assert row["price_percentile_in_group"] == (cheaper / len(others) if others else 0)
