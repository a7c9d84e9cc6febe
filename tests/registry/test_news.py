"""What is told, what is held back, and what ends a bad time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shopmill.registry import Registry
from shopmill.registry.news import Kind, NewsDesk

DAY = datetime(2020, 9, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def dsn(database: Callable[[], str]) -> str:
    return database()


@pytest.fixture
def desk(dsn: str) -> NewsDesk:
    desk = NewsDesk(Registry(dsn), timedelta(hours=12))
    desk.registry.migrate()
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate shopmill.news, shopmill.failed_tasks")
    return desk


def note(desk: NewsDesk, kind: Kind, news: str = "", as_of: datetime | None = DAY) -> bool:
    """Notes and tells; says whether it was due."""
    telling = desk.note("d", kind, news, as_of)
    if telling.is_due:
        desk.notified("d")
    return telling.is_due


def hours_pass(dsn: str, hours: float) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("update shopmill.news set told_at = told_at - make_interval(secs => %s)", (hours * 3600,))


def test_the_same_failure_is_told_again_only_after_a_while(desk: NewsDesk, dsn: str) -> None:
    assert [note(desk, "failed", "a") for _ in range(4)] == [True, False, False, False]
    hours_pass(dsn, 11.9)
    assert not note(desk, "failed", "a")
    hours_pass(dsn, 0.2)
    assert [note(desk, "failed", "a") for _ in range(2)] == [True, False]


def test_another_failure_is_news(desk: NewsDesk) -> None:
    assert [note(desk, "failed", reason) for reason in ("a", "a", "b", "b", "a")] == [True, False, True, False, True]


def test_what_reached_nobody_stays_due(desk: NewsDesk) -> None:
    assert desk.note("d", "failed", "a", DAY).is_due
    assert desk.note("d", "failed", "a", DAY).is_due


def test_a_recovery_is_told_once_and_counts_what_it_ends(desk: NewsDesk) -> None:
    first = desk.note("d", "failed", "a", DAY)
    desk.note("d", "failed", "b", DAY)
    desk.note("d", "failed", "b", DAY)
    recovery = desk.note("d", "published", "", DAY)
    desk.notified("d")
    assert recovery.is_due
    ended = recovery.recovered_from
    assert ended is not None
    assert (ended.kind, ended.times, ended.since) == ("failed", 3, first.since)
    after = desk.note("d", "published", "", DAY)
    assert (after.is_due, after.recovered_from) == (False, None)


def test_an_earlier_as_of_heals_nothing(desk: NewsDesk) -> None:
    note(desk, "failed", "a", DAY)
    assert not note(desk, "published", "", DAY - timedelta(days=1))
    assert not note(desk, "failed", "a", DAY), "it still fails, and people know"
    assert note(desk, "published", "", DAY + timedelta(days=1))


def test_late_is_no_news_of_what_failed(desk: NewsDesk) -> None:
    assert note(desk, "late", "")
    assert not note(desk, "late", "")
    assert note(desk, "failed", "a")
    assert not note(desk, "late", "")
    assert note(desk, "published", "")


def test_datasets_are_told_apart(desk: NewsDesk) -> None:
    assert desk.note("d", "failed", "a", DAY).is_due
    assert desk.note("e", "failed", "a", DAY).before is None


def test_failed_tasks_are_given_once(desk: NewsDesk) -> None:
    for number, task in enumerate("bab"):
        desk.note_failed_task("run", task, {"number": number})
    desk.note_failed_task("other", "c", {"number": 3})
    assert desk.take_failed_tasks("run") == [{"number": 1}, {"number": 2}], "a, and how b failed last"
    assert desk.take_failed_tasks("run") == []
