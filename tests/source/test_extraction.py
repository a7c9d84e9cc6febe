"""What extraction finds, what it reads again, and what of it is one moment's truth."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from rows import Extract, RowsOf, add, line

from shopmill.asof import AsOf
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source import extraction as extraction_module
from shopmill.source.contract import TABLES
from shopmill.source.database import Source
from shopmill.source.extraction import Extraction
from shopmill.source.snapshot import Snapshot
from shopmill.versions.locks import Locks
from shopmill.versions.store import Store


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query that streams rows of the shop."""
    seen: list[str] = []
    original = Source.stream

    def stream(self: Source, table: Any, query: str) -> Any:
        seen.append(query)
        return original(self, table, query)

    monkeypatch.setattr(Source, "stream", stream)
    return seen


def test_facts_are_cut_into_days_and_nothing_at_or_after_as_of_is_seen(
    extract: Extract, rows_of: RowsOf, shop_dsn: str
) -> None:
    days = ["2020-09-20", "2020-09-22", "2020-09-22", "2020-09-23", "2020-09-24", "infinity"]
    fill_shop(shop_dsn, {"transactions": [line(day) for day in days]})
    snapshot = extract("2020-09-23", ["transactions"])["transactions"]
    assert [(file.day, file.rows) for file in snapshot.files] == [("2020-09-20", 1), ("2020-09-22", 2)]
    assert [row["t_dat"] for row in rows_of(snapshot)] == [date(2020, 9, 20), date(2020, 9, 22), date(2020, 9, 22)]
    assert snapshot.newest_day == "2020-09-22"


def test_rows_are_of_one_moment_while_the_shop_sells_on(
    extract: Extract, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order and its items are committed between the reading of items and the reading of orders."""
    moment = "2020-09-22 10:00:00Z"
    fill_shop(
        shop_dsn,
        {
            "orders": [{"order_id": "o1", "order_datetime": moment}],
            "order_items": [{"order_id": "o1", "article_id": "a"}],
        },
    )
    original = Extraction._read_table
    read = []

    def read_table(self: Extraction, source: Source, catalogue: Any, plan: Any, scratch: Path) -> Any:
        files = original(self, source, catalogue, plan, scratch)
        add(shop_dsn, "orders", {"order_id": f"late{len(read)}", "order_datetime": moment})
        add(shop_dsn, "order_items", {"order_id": "o1", "article_id": "b"})
        read.append(catalogue.table.name)
        return files

    monkeypatch.setattr(Extraction, "_read_table", read_table)
    found = extract("2020-09-23", ["orders", "order_items"])
    assert len(read) == 2
    assert {name: snapshot.rows for name, snapshot in found.items()} == {"orders": 1, "order_items": 1}


def test_who_asks_for_items_gets_their_orders(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {})
    assert set(extract("2020-09-23", ["order_items"])) == {"orders", "order_items"}
    assert set(extract("2020-09-24", ["orders"])) == {"orders", "order_items"}


def test_only_the_lookback_is_read_again(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, settings: Settings, queries: list[str]
) -> None:
    fill_shop(shop_dsn, {"transactions": [line(f"2020-09-{day}") for day in range(10, 21)]})
    first = extract("2020-09-21", ["transactions"], lookback_days=3)["transactions"]
    old = [Path(settings.store) / file.key for file in first.files if file.day < "2020-09-18"]
    stamps = [path.stat().st_mtime_ns for path in old]
    add(shop_dsn, "transactions", line("2020-09-10", "too late"), line("2020-09-18", "late"), line("2020-09-21", "new"))
    queries.clear()
    second = extract("2020-09-22", ["transactions"], lookback_days=3)["transactions"]

    before, after = first.days, second.days
    assert {day for day in after if before.get(day) != after[day]} == {"2020-09-18", "2020-09-21"}
    assert [path.stat().st_mtime_ns for path in old] == stamps
    found = [row["customer_id"] for row in rows_of(second)]
    assert "late" in found
    assert "new" in found
    assert "too late" not in found
    assert "date '2020-09-18'" in queries[0]
    assert "too late" not in [row["customer_id"] for row in rows_of(first)]


def test_the_same_as_of_is_read_once(extract: Extract, shop_dsn: str, queries: list[str]) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    first = extract("2020-09-23", ["transactions"])
    add(shop_dsn, "transactions", line("2020-09-21"))
    queries.clear()
    assert extract("2020-09-23", ["transactions"]) == first
    assert not queries
    assert extract("2020-09-23", ["transactions"], refresh=True)["transactions"].rows == 2
    assert extract("2020-09-23", ["transactions"])["transactions"].rows == 2


def test_a_refresh_sees_rows_that_came_too_late_for_the_lookback(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-01")]})
    extract("2020-09-20", ["transactions"])
    extract("2020-09-23", ["transactions"])
    add(shop_dsn, "transactions", line("2020-08-01", "far too late"))
    assert extract("2020-09-20", ["transactions"], refresh=True)["transactions"].rows == 2
    assert extract("2020-09-24", ["transactions"])["transactions"].rows == 1


def test_another_shop_in_the_same_store_is_read_for_itself(
    extract: Extract, shop_dsn: str, new_shop: Callable[[], str]
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    other = new_shop()
    fill_shop(other, {"transactions": [line("2020-09-20"), line("2020-09-21")]})
    assert extract("2020-09-23", ["transactions"])["transactions"].rows == 1
    assert extract("2020-09-23", ["transactions"], source_dsn=SecretStr(other))["transactions"].rows == 2


def test_a_past_as_of_is_made_of_files_that_are_there(extract: Extract, shop_dsn: str, queries: list[str]) -> None:
    fill_shop(shop_dsn, {"transactions": [line(f"2020-09-{day}") for day in range(10, 21)]})
    whole = extract("2020-09-21", ["transactions"])["transactions"]
    fill_shop(shop_dsn, {})
    queries.clear()
    past = extract("2020-09-15", ["transactions"])["transactions"]
    assert not queries
    assert past.files == tuple(file for file in whole.files if file.day < "2020-09-15")


def test_a_dimension_is_as_known_at_an_earlier_as_of(extract: Extract, rows_of: RowsOf, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"articles": [{"article_id": "1", "prod_name": "old"}]})
    extract("2020-09-10", ["articles"])
    fill_shop(shop_dsn, {"articles": [{"article_id": "1", "prod_name": "new"}]})
    now = extract("2020-09-20", ["articles"])["articles"]
    between = extract("2020-09-15", ["articles"])["articles"]
    ancient = extract("2020-09-01", ["articles"])["articles"]
    assert [row["prod_name"] for row in rows_of(now)] == ["new"]
    assert [row["prod_name"] for row in rows_of(between)] == ["old"]
    assert [row["prod_name"] for row in rows_of(ancient)] == ["old"]
    assert (between.read_as_of, ancient.read_as_of) == ("2020-09-10", "2020-09-10")


@pytest.mark.parametrize("day", [None, "-infinity", "0044-03-15 BC"])
def test_rows_without_a_usable_date_are_undated_in_every_run(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, day: str | None
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20"), line(day, "undated")]})
    for as_of in ("2020-09-23", "2020-09-24"):
        snapshot = extract(as_of, ["transactions"])["transactions"]
        assert [(file.day, file.rows) for file in snapshot.files] == [("2020-09-20", 1), ("undated", 1)]
        assert (rows_of(snapshot)[-1]["t_dat"], snapshot.newest_day) == (None, "2020-09-20")


def test_items_are_dated_by_their_order(extract: Extract, shop_dsn: str) -> None:
    orders = [
        {"order_id": "o1", "order_datetime": "2020-09-20 23:30:00Z"},
        {"order_id": "o2", "order_datetime": None},
        {"order_id": "o3", "order_datetime": "2020-09-23 00:00:00Z"},
    ]
    items = [{"order_id": order, "article_id": "a"} for order in ("o1", "o1", "o2", "o3")]
    fill_shop(shop_dsn, {"orders": orders, "order_items": items})
    found = extract("2020-09-23", ["order_items"])["order_items"]
    assert [(file.day, file.rows) for file in found.files] == [("2020-09-20", 2), ("undated", 1)]
    found = extract("2020-09-23", ["order_items"], time_zone="Europe/Stockholm")["order_items"]
    assert [(file.day, file.rows) for file in found.files] == [("2020-09-21", 2), ("undated", 1)]


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2021-03-28", "2021-03-27 23:00:00+00", "2021-03-28 21:59:59.999999+00"),  # 23 hours
        ("2021-10-31", "2021-10-30 22:00:00+00", "2021-10-31 22:59:59.999999+00"),  # 25 hours
    ],
)
def test_a_day_is_the_shops_day_when_clocks_change(
    extract: Extract, shop_dsn: str, day: str, first: str, last: str
) -> None:
    after = datetime.fromisoformat(last).astimezone(UTC).replace(microsecond=0, second=0)
    events = [{"event_id": moment, "event_datetime": moment} for moment in (first, last)]
    fill_shop(shop_dsn, {"events": [*events, {"event_id": "next", "event_datetime": f"{after:%Y-%m-%d} 23:30:00Z"}]})
    as_of = f"2021-{day[5:7]}-{int(day[8:]) + 1}" if day[8:] != "31" else "2021-11-01"
    found = extract(as_of, ["events"], time_zone="Europe/Stockholm")["events"]
    assert [(file.day, file.rows) for file in found.files] == [(day, 2)]


def test_within_a_day_only_what_came_before_the_instant_is_seen(
    extract: Extract, rows_of: RowsOf, shop_dsn: str
) -> None:
    times = ("00:00:00", "10:14:59.999999", "10:15:00", "10:29:00")
    fill_shop(shop_dsn, {"events": [{"event_id": t, "event_datetime": f"2020-09-23 {t}Z"} for t in times]})
    first = extract("2020-09-23T10:15:00Z", ["events"], lookback_days=0)["events"]
    assert [row["event_id"] for row in rows_of(first)] == ["00:00:00", "10:14:59.999999"]
    second = extract("2020-09-23T10:30:00Z", ["events"], lookback_days=0)["events"]
    assert [row["event_id"] for row in rows_of(second)] == list(times)
    between = extract("2020-09-23T10:20:00Z", ["events"], lookback_days=0)["events"]
    assert [row["event_id"] for row in rows_of(between)] == list(times[:3])


def test_a_table_without_rows_has_no_files(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {})
    for snapshot in extract("2020-09-23", list(TABLES)).values():
        assert (snapshot.files, snapshot.rows, snapshot.newest_day) == ((), 0, None)


def test_two_at_once_read_a_table_once(settings: Settings, shop_dsn: str, queries: list[str]) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")], "articles": [{"article_id": "1"}]})
    store, as_of = Store(settings.store), AsOf.parse("2020-09-23", settings.zone)
    barrier = threading.Barrier(2)

    def run(tables: list[str]) -> dict[str, Snapshot]:
        barrier.wait()
        return Extraction(settings, store, as_of, Locks(store).lock).run(tables)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(run, (["transactions", "articles"], ["articles", "transactions"]))
    assert one == other
    assert len([query for query in queries if "from articles" in query]) == 1


def test_without_a_lock_the_first_snapshot_counts_for_both(
    extract: Extract, shop_dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where locks are lost (a broken connection), two readers end with one snapshot."""
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    barrier = threading.Barrier(2)
    original = Extraction._read

    def read(self: Extraction, mapping: Any, plans: Any) -> Any:
        if plans:
            barrier.wait(60)
        return original(self, mapping, plans)

    monkeypatch.setattr(Extraction, "_read", read)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: extract("2020-09-23", ["transactions"]), range(2))
    assert one["transactions"].sha256 == other["transactions"].sha256
    assert extract("2020-09-23", ["transactions"])["transactions"].sha256 == one["transactions"].sha256


def test_progress_tells_the_rows_of_each_table(settings: Settings, shop_dsn: str) -> None:
    from contextlib import nullcontext

    fill_shop(shop_dsn, {"transactions": [line("2020-09-20"), line("2020-09-20"), line("2020-09-21")]})
    told: list[tuple[str, int]] = []
    Extraction(
        settings,
        Store(settings.store),
        AsOf.parse("2020-09-23", settings.zone),
        lambda _name: nullcontext(),
        lambda table, rows: told.append((table, rows)),
    ).run(["transactions"])
    assert sum(rows for table, rows in told if table == "transactions") == 3


def test_rows_of_a_transaction_that_broke_off_do_not_count(
    extract: Extract, shop_dsn: str, monkeypatch: pytest.MonkeyPatch, settings: Settings, postgres: EmbeddedPostgres
) -> None:
    from shopmill.errors import SourceUnavailableError

    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    read = extraction_module.read_rows

    def read_and_lose(*arguments: Any) -> int:
        rows = read(*arguments)
        with psycopg.connect(postgres.admin_dsn()) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shopmill' and datname is not null"
            )
        return rows

    monkeypatch.setattr(extraction_module, "read_rows", read_and_lose)
    with pytest.raises(SourceUnavailableError, match="transactions"):
        extract("2020-09-23", ["transactions"])
    assert not any("snapshots" in key for key in Store(settings.store).keys("raw"))
