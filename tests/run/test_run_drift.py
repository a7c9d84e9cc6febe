"""Drift: what is unlike the same weekday of earlier weeks warns with the numbers, and blocks beyond max_drift only."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.declaration import Column, Table
from shopmill.errors import CheckFailedError
from shopmill.run import steps
from shopmill.run.drift import NAME, changes_of
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.column_statistics import Bar, ColumnStatistics
from shopmill.versions.statistics import TableStatistics, kept_statistics
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

TABLE = Table("t", "one row per id", (Column("id", "varchar", "id"), Column("v", "double", "value")), key=("id",))
N = 10_000
CHANCE = 3 / N**0.5


def seen(rows: int = N, sampled: int | None = None, name: str = "v", **column: Any) -> TableStatistics:
    return TableStatistics(
        rows, rows if sampled is None else sampled, (ColumnStatistics(name, **{"nulls": 0, **column}),)
    )


def mean(value: float, deviation: float = 2.0) -> TableStatistics:
    return seen(mean=str(value), deviation=str(deviation))


def kinds(*shares: float, distinct: int | None = None) -> TableStatistics:
    top = tuple(Bar(f"k{i}", round(share * N)) for i, share in enumerate(shares))
    return seen(top=top, distinct=distinct or len(top))


@pytest.mark.parametrize(
    ("now", "earlier", "by", "said"),
    [
        (seen(500), [seen(n) for n in (1000, 1100, 900)], 400 / 900 - 3 / 900**0.5, "500 rows, 900 to 1,100 before"),
        (seen(2 * N), [seen(N)] * 3, 1.0 - CHANCE, "20,000 rows, 10,000 before"),
        (
            seen(nulls=N // 2),
            [seen(nulls=N // 10), seen(nulls=N // 5), seen()],
            0.3 - CHANCE,
            "v has no value in 50.0% of rows, 0.0% to 20.0% before",
        ),
        (
            mean(13),
            [mean(10), mean(9), mean(11)],
            1.0 - CHANCE,
            "v has the mean 13, 9 to 11 before (1.0 standard deviations)",
        ),
        (
            kinds(0.2, 0.8),
            [kinds(0.7, 0.3), kinds(0.6, 0.4), kinds(0.5, 0.5)],
            0.3 - CHANCE,
            "v is 'k0' in 20.0% of rows, 50.0% to 70.0% before",
        ),
        (
            mean(15, 3.0),
            [mean(10, 0.0)] * 3,
            0.5 - CHANCE,
            "v has the mean 15, 10 before (where all values were the same)",
        ),
        (mean(5, 3.0), [mean(0, 0.0)] * 3, 1.0 - CHANCE, "v has the mean 5, 0 before (where all values were the same)"),
        (seen(nulls=N), [mean(10)] * 3, 1.0 - CHANCE, "v has no value in 100.0% of rows, 0.0% before"),
        (mean(10), [seen(nulls=N)] * 3, 1.0 - CHANCE, "v has no value in 0.0% of rows, 100.0% before"),
        (kinds(0.5, 0.3, 0.2), [kinds(0.5, 0.5)] * 3, 0.2 - CHANCE, "v is 'k1' in 30.0% of rows, 50.0% before"),
    ],
)
def test_a_change_is_the_distance_to_the_nearest_earlier_value(
    now: TableStatistics, earlier: list[TableStatistics], by: float, said: str
) -> None:
    [change] = changes_of(TABLE, now, earlier)
    assert (change.by, change.said) == (pytest.approx(by, abs=1e-3), said)


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        (seen(950), [seen(n) for n in (900, 1000, 800)]),  # within
        (seen(40), [seen(n) for n in (50, 60, 70)]),  # so few rows may be chance
        (mean(10.01), [mean(10)] * 3),
        (mean(10, 0.0), [mean(10, 0.0)] * 3),  # constant
        (mean(0, 0.0), [mean(0, 0.0)] * 3),
        (mean(23, 0.0), [mean(2, 0.0), mean(9, 0.0), mean(16, 0.0)]),  # days since the only sale: no unit to measure in
        (seen(nulls=N), [seen(nulls=N)] * 3),  # all null
        (seen(), [mean(10)] * 3),
        (kinds(0.9, 0.1), [seen()] * 3),
        (seen(nulls=9999, name="id"), [seen(name="id")] * 3),  # a key has its own checks
        (seen(0), [seen(0)] * 3),
        (kinds(*[0.1] * 8, distinct=50), [kinds(*[0.1] * 7, 0.105, distinct=50)] * 3),
    ],
)
def test_what_is_like_earlier_weeks_is_no_change(now: TableStatistics, earlier: list[TableStatistics]) -> None:
    assert list(changes_of(TABLE, now, earlier)) == []


@pytest.mark.parametrize("rows", [0, 1, 5, 9, 12, 10_000])
def test_the_fewer_rows_are_left_the_larger_the_change(rows: int) -> None:
    [change] = changes_of(TABLE, seen(rows), [seen(1_000_000)] * 3)
    assert change.by == pytest.approx(1 - rows / 1_000_000 - 3 / 1000, abs=1e-6)


def test_what_may_be_hidden_behind_the_most_frequent_values_is_no_change() -> None:
    """Both have many values, of which the eight most frequent are known: a ninth may be almost as frequent."""
    now = seen(top=tuple(Bar(f"a{i}", N // 10) for i in range(8)), distinct=100)
    before = seen(top=tuple(Bar(f"b{i}", N // 10) for i in range(8)), distinct=100)
    assert list(changes_of(TABLE, now, [before] * 3)) == []


def test_a_table_that_may_be_empty_has_any_number_of_rows() -> None:
    table = Table("t", "", TABLE.columns, may_be_empty=True)
    assert list(changes_of(table, seen(N), [seen(0)] * 3)) == []


def day(rows: int, *columns: ColumnStatistics) -> TableStatistics:
    """A table whose history is the same as ever, with so many rows in its newest day."""
    newest = TableStatistics(rows, rows, columns)
    return replace(seen(10 * N), newest=newest)


def column(name: str, **known: Any) -> ColumnStatistics:
    return ColumnStatistics(name, **{"nulls": 0, "distinct": 2, **known})


@pytest.mark.parametrize(
    ("now", "earlier", "by", "said"),
    [
        (day(0), [day(8)] * 3, 0, ""),  # where rows are so few, none may be chance
        (day(0), [day(0)] * 3, 0, ""),
        (day(0), [day(100)] * 3, 0.7, "of its newest day 0 rows, 100 before"),
        (day(0), [day(N)] * 3, 1.0 - CHANCE, "of its newest day 0 rows, 10,000 before"),
        (day(N // 2), [day(n) for n in (N, N + 500, N + 1000)], 0.37, "of its newest day 5,000 rows, 10,000 to 11,000 before"),
        (day(N - 900), [day(n) for n in (N, N + 500, N + 1000)], 0, ""),  # they swing as much
        (
            day(N, column("v", nulls=N)),
            [day(N, column("v"))] * 3,
            1.0 - CHANCE,
            "of its newest day v has no value in 100.0% of rows, 0.0% before",
        ),
        (
            day(N, column("is_holiday", distinct=1, top=(Bar("true", N),))),
            [day(N, column("is_holiday", distinct=1, top=(Bar("false", N),)))] * 3,
            0,
            "",  # what is so of a day is no change of its rows
        ),
    ],
)  # fmt: skip
def test_the_newest_day_of_a_history_is_compared_by_itself(
    now: TableStatistics, earlier: list[TableStatistics], by: float, said: str
) -> None:
    changes = list(changes_of(TABLE, now, earlier))
    assert [change.said for change in changes] == ([said] if said else [])
    if said:
        assert changes[0].by == pytest.approx(by, abs=1e-3)


def test_a_version_without_a_newest_day_is_compared_as_a_whole() -> None:
    assert list(changes_of(TABLE, day(0), [seen(10 * N)] * 3)) == []


DATASET, FIRST = "user_item_interactions", date(2020, 8, 3)
WEEKS = [str(FIRST + timedelta(weeks=n)) for n in range(6)]


@pytest.fixture
def run(settings: Settings, shop_dsn: str) -> Callable[..., Any]:
    """A run after a shop is filled with so many customers, each of whom bought one article."""

    def started(as_of: str, customers: int, **parameters: Any) -> Any:
        ids = [f"c{n:04}" for n in range(customers)]
        sales = [
            {"t_dat": "2020-08-01", "customer_id": one, "article_id": "1", "price": 1, "sales_channel_id": 1}
            for one in ids
        ]
        fill_shop(
            shop_dsn,
            {
                "transactions": sales,
                "articles": [{"article_id": "1"}],
                "customers": [{"customer_id": one} for one in ids],
            },
        )
        given = {**LENIENT, "stale_days": 999, "fresh_days": 999, **parameters}
        return steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, given, refresh=True))

    return started


def drift_of(warned: Sequence[str]) -> list[str]:
    return [sentence for sentence in warned if "of this weekday before" in sentence]


def test_a_run_warns_or_blocks_with_the_numbers_and_is_not_in_its_own_baseline(
    run: Callable[..., Any], settings: Settings
) -> None:
    for week in WEEKS[:3]:
        assert drift_of(run(week, 100).warned) == []
    with pytest.raises(CheckFailedError) as blocked:
        run(WEEKS[3], 300, max_drift="0.5")
    said = "is unlike its 3 versions of this weekday before: 300 rows, 100 before"
    assert said in str(blocked.value)
    assert "max_drift=0.5: max_drift=0 lets it pass" in str(blocked.value)
    assert {(r.name, r.severity) for r in blocked.value.failures} == {(NAME, "error")}
    published = run(WEEKS[3], 300)
    [warning] = [sentence for sentence in drift_of(published.warned) if sentence.startswith("interactions ")]
    assert said in warning
    assert warning.endswith("more than warn_drift=0.1")
    again = run(WEEKS[3], 300, warn_drift="0.2")  # it has a version now, which is not compared with itself
    assert any(said in sentence for sentence in drift_of(again.warned))
    assert drift_of(run(WEEKS[4], 300).warned) == []  # what is like the newest of the four is no sudden change


def test_the_statistics_that_were_compared_are_those_beside_the_version(
    run: Callable[..., Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = []
    from shopmill.run import drift

    original = drift._described
    monkeypatch.setattr(drift, "_described", lambda *given: described.append(original(*given)) or described[-1])
    run(WEEKS[0], 20)
    versions = Versions(Store(settings.store), DATASET, settings.zone)
    assert [kept_statistics(versions, versions.need(None))] == described


def test_a_column_is_seen_from_the_third_week_on(run: Callable[..., Any]) -> None:
    """The first weeks have nothing to compare with; a week without a version is left out of the eight before."""
    for week in (WEEKS[0], WEEKS[1]):
        assert drift_of(run(week, 100).warned) == []
    assert drift_of(run(WEEKS[2], 900).warned) == []  # two are too few
    assert drift_of(run(WEEKS[4], 100).warned) == []  # one of the three had 900: 100 lies within
    [warning] = [one for one in drift_of(run(WEEKS[5], 3000).warned) if one.startswith("interactions ")]
    assert "its 4 versions of this weekday before: 3,000 rows, 100 to 900 before" in warning


def test_other_weekdays_and_other_parameters_are_not_compared(run: Callable[..., Any]) -> None:
    for week in WEEKS[:2]:
        run(week, 100)
    run("2020-08-18", 100)
    run(WEEKS[2], 100, view_half_life_days="7")
    assert drift_of(run(WEEKS[3], 300).warned) == []


def test_a_day_that_lacks_most_of_its_rows_is_told_though_the_history_is_long(
    settings: Settings, shop_dsn: str
) -> None:
    days = [FIRST - timedelta(days=30) + timedelta(days=n) for n in range(30 + 7 * 3)]
    sales = [
        {"t_dat": str(day), "customer_id": f"c{n}", "article_id": "1", "price": 1, "sales_channel_id": 1}
        for day in days
        for n in range(200 if day < days[-1] else 20)
    ]
    others = {"articles": [{"article_id": "1"}], "customers": [{"customer_id": f"c{n}"} for n in range(200)]}
    fill_shop(shop_dsn, {"transactions": sales, **others})
    dataset = datasets.load(DATASET)
    warned = [steps.run_all(Run.create(dataset, week, settings, LENIENT, refresh=True)).warned for week in WEEKS[:4]]
    assert [drift_of(said) for said in warned[:3]] == [[]] * 3
    [told] = [said for said in drift_of(warned[3]) if said.startswith("log ")]
    assert "log is unlike its 3 versions of this weekday before: of its newest day 20 rows, 200 before" in told
