"""What is told, what is held back, and what ends a bad time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shopmill.registry import Registry
from shopmill.registry.notices import Kind, NoticeBoard

DAY = datetime(2020, 9, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def dsn(database: Callable[[], str]) -> str:
    return database()


@pytest.fixture
def board(dsn: str) -> NoticeBoard:
    board = NoticeBoard(Registry(dsn), timedelta(hours=12))
    board.registry.migrate()
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate shopmill.news, shopmill.failed_tasks")
    return board


def note(board: NoticeBoard, kind: Kind, news: str = "", as_of: datetime | None = DAY) -> bool:
    """Notes and tells; says whether it was due."""
    notice = board.note("d", kind, news, as_of)
    if notice.is_due:
        board.notified("d")
    return notice.is_due


def hours_pass(dsn: str, hours: float) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("update shopmill.news set told_at = told_at - make_interval(secs => %s)", (hours * 3600,))


def test_the_same_failure_is_told_again_only_after_a_while(board: NoticeBoard, dsn: str) -> None:
    assert [note(board, "failed", "a") for _ in range(4)] == [True, False, False, False]
    hours_pass(dsn, 11.9)
    assert not note(board, "failed", "a")
    hours_pass(dsn, 0.2)
    assert [note(board, "failed", "a") for _ in range(2)] == [True, False]


def test_another_failure_is_news(board: NoticeBoard) -> None:
    assert [note(board, "failed", reason) for reason in ("a", "a", "b", "b", "a")] == [True, False, True, False, True]


def test_what_reached_nobody_stays_due(board: NoticeBoard) -> None:
    assert board.note("d", "failed", "a", DAY).is_due
    assert board.note("d", "failed", "a", DAY).is_due


def test_a_recovery_is_told_once_and_counts_what_it_ends(board: NoticeBoard) -> None:
    first = board.note("d", "failed", "a", DAY)
    board.note("d", "failed", "b", DAY)
    board.note("d", "failed", "b", DAY)
    recovery = board.note("d", "published", "", DAY)
    board.notified("d")
    assert recovery.is_due
    ended = recovery.recovered_from
    assert ended is not None
    assert (ended.kind, ended.times, ended.since) == ("failed", 3, first.since)
    after = board.note("d", "published", "", DAY)
    assert (after.is_due, after.recovered_from) == (False, None)


def test_an_earlier_as_of_heals_nothing(board: NoticeBoard) -> None:
    note(board, "failed", "a", DAY)
    assert not note(board, "published", "", DAY - timedelta(days=1))
    assert not note(board, "failed", "a", DAY), "it still fails, and people know"
    assert note(board, "published", "", DAY + timedelta(days=1))


def test_late_is_no_news_of_what_failed(board: NoticeBoard) -> None:
    assert note(board, "late", "")
    assert not note(board, "late", "")
    assert note(board, "failed", "a")
    assert not note(board, "late", "")
    assert note(board, "published", "")


def test_datasets_are_told_apart(board: NoticeBoard) -> None:
    assert board.note("d", "failed", "a", DAY).is_due
    assert board.note("e", "failed", "a", DAY).before is None


def test_failed_tasks_are_given_once(board: NoticeBoard) -> None:
    for number, task in enumerate("bab"):
        board.note_failed_task("run", task, {"number": number})
    board.note_failed_task("other", "c", {"number": 3})
    assert board.take_failed_tasks("run") == [{"number": 1}, {"number": 2}], "a, and how b failed last"
    assert board.take_failed_tasks("run") == []
