"""What extraction finds, what it reads again, and what of it is one moment's truth."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from rows import Extract, RowsOf, add, line

from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source import extraction as extraction_module
from shopmill.source import reading
from shopmill.source.contract import TABLES
from shopmill.source.database import Source
from shopmill.source.extraction import Extraction
from shopmill.source.reading import Reader
from shopmill.source.shop import move
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
    days = ["2020-09-20", "2020-09-22", "2020-09-22", "2020-09-23", "2020-09-24", "9999-12-31", "infinity"]
    fill_shop(shop_dsn, {"transactions": [line(day) for day in days]})
    snapshot = extract("2020-09-23", ["transactions"])["transactions"]
    # A date that never comes is no future: its row is kept without it, and rejected by name.
    found = [(file.day, file.rows) for file in snapshot.files]
    assert found == [("2020-09-20", 1), ("2020-09-22", 2), ("undated", 1)]
    sold_on = [row["t_dat"] for row in rows_of(snapshot)]
    assert sold_on == [date(2020, 9, 20), date(2020, 9, 22), date(2020, 9, 22), None]
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
    original = Reader._read_queries
    read = []

    def read_queries(self: Reader, job: Any, found: list[str]) -> None:
        original(self, job, found)
        add(shop_dsn, "orders", {"order_id": f"late{len(read)}", "order_datetime": moment})
        add(shop_dsn, "order_items", {"order_id": "o1", "article_id": "b"})
        read.append(job.table.name)

    monkeypatch.setattr(Reader, "_read_queries", read_queries)
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


def test_another_shop_in_the_same_store_is_refused(
    extract: Extract, shop_dsn: str, new_shop: Callable[[], str], settings: Settings, tmp_path: Path
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    other = new_shop()
    fill_shop(other, {"transactions": [line("2020-09-20"), line("2020-09-21")]})
    assert extract("2020-09-23", ["transactions"])["transactions"].rows == 1
    with pytest.raises(InvalidInputError, match=r"another shop .*shopmill moved"):
        extract("2020-09-24", ["transactions"], source_dsn=SecretStr(other))
    elsewhere = str(tmp_path / "other")
    assert (
        extract("2020-09-23", ["transactions"], source_dsn=SecretStr(other), store=elsewhere)["transactions"].rows == 2
    )
    moved = settings.model_copy(update={"source_dsn": SecretStr(other)})
    assert "database" in move(moved)[0]
    assert extract("2020-09-24", ["transactions"], source_dsn=SecretStr(other))["transactions"].rows == 2


def test_a_database_of_the_same_name_on_another_server_is_another_shop(
    extract: Extract, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial copy and the real shop are often called alike."""
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    extract("2020-09-23", ["transactions"])
    monkeypatch.setattr("shopmill.source.shop.SYSTEM", "select '7300000000000000001'")
    with pytest.raises(InvalidInputError, match=r"another shop \(now: server 7300000000000000001, not \d+\)"):
        extract("2020-09-24", ["transactions"])


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
    assert len([query for query in queries if 'from "articles"' in query]) == 1


def test_without_a_lock_the_first_snapshot_counts_for_both(
    extract: Extract, shop_dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where locks are lost (a broken connection), two readers end with one snapshot."""
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    barrier = threading.Barrier(2)
    original = Extraction._read

    def read(self: Extraction, mapping: Any, catalogues: Any, plans: Any, asked: Any) -> Any:
        if plans:
            barrier.wait(60)
        return original(self, mapping, catalogues, plans, asked)

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
    read = reading.read_rows

    def read_and_lose(*arguments: Any) -> int:
        rows = read(*arguments)
        with psycopg.connect(postgres.admin_dsn()) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shopmill' and datname is not null"
            )
        return rows

    monkeypatch.setattr(reading, "read_rows", read_and_lose)
    with pytest.raises(SourceUnavailableError, match="transactions"):
        extract("2020-09-23", ["transactions"])
    assert not any("snapshots" in key for key in Store(settings.store).keys("raw"))


# What is dated once, however the runs are cut


def order(order_id: str, moment: str | None, **more: Any) -> dict[str, Any]:
    return {"order_id": order_id, "order_datetime": moment, **more}


def item(order_id: str, quantity: Any = 1, article: str = "a", **more: Any) -> dict[str, Any]:
    return {"order_id": order_id, "article_id": article, "quantity": quantity, "price": 1, **more}


def days(snapshot: Snapshot) -> list[tuple[str, int]]:
    return [(file.day, file.rows) for file in snapshot.files]


LOG = [order("o1", "2020-01-01 12:00Z"), order("o1", "2020-01-10 12:00Z")]


@pytest.mark.parametrize(
    "runs", [["2020-01-11"], ["2020-01-02", "2020-01-07", "2020-01-11"], ["2020-01-11", "2020-01-02"]]
)
def test_an_order_that_stands_twice_dates_its_items_once(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, runs: list[str]
) -> None:
    fill_shop(shop_dsn, {"orders": LOG, "order_items": [item("o1", 3)]})
    for as_of in runs:
        found = extract(as_of, ["order_items"])
        assert days(found["order_items"]) == [("2020-01-01", 1)]
        logged = [("2020-01-01", 1), ("2020-01-10", 1)]
        assert days(found["orders"]) == (logged if as_of == "2020-01-11" else logged[:1])


def test_an_earlier_row_that_comes_late_dates_the_order_anew(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"orders": LOG[1:], "order_items": [item("o1", 3)]})
    extract("2020-01-11", ["order_items"])
    add(shop_dsn, "orders", order("o1", "2020-01-08 12:00Z"))
    assert days(extract("2020-01-12", ["order_items"])["order_items"]) == [("2020-01-08", 1)]


def test_an_order_without_a_time_beside_a_dated_one_is_the_dated_one(extract: Extract, shop_dsn: str) -> None:
    fill_shop(
        shop_dsn, {"orders": [order("o1", None), *LOG[:1], order("o2", None)], "order_items": [item("o1"), item("o2")]}
    )
    for as_of in ("2020-01-02", "2020-01-20"):
        assert days(extract(as_of, ["order_items"])["order_items"]) == [("2020-01-01", 1), ("undated", 1)]


def test_an_order_whose_date_moves_into_the_lookback_is_there_once(extract: Extract, shop_dsn: str) -> None:
    orders = [order("o1", "2020-01-01 12:00Z"), order("o2", "2020-01-01 13:00Z")]
    fill_shop(shop_dsn, {"orders": orders, "order_items": [item("o1"), item("o2")]})
    extract("2020-01-20", ["orders"])
    with psycopg.connect(shop_dsn) as connection:
        connection.execute("update orders set order_datetime = '2020-01-20 12:00Z' where order_id = 'o1'")
    found = extract("2020-01-21", ["orders"])
    for name in ("orders", "order_items"):
        assert days(found[name]) == [("2020-01-01", 1), ("2020-01-20", 1)]


def test_a_review_whose_date_moves_is_there_once(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"reviews": [{"review_id": "r1", "review_date": "2020-01-01"}]})
    extract("2020-01-20", ["reviews"])
    with psycopg.connect(shop_dsn) as connection:
        connection.execute("update reviews set review_date = '2020-01-20'")
    assert days(extract("2020-01-21", ["reviews"])["reviews"]) == [("2020-01-20", 1)]


@pytest.mark.parametrize("table", ["transactions", "orders", "order_items"])
def test_old_days_with_a_change_are_read_again(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, table: str, queries: list[str]
) -> None:
    """Status, price and quantity of an old row change; the shop says so in changed_at."""
    given = {
        "transactions": [line("2020-01-01"), line("2020-01-02"), line("2020-01-19")],
        "orders": [order("o1", "2020-01-01 12:00Z", order_status="placed"), order("o2", "2020-01-02 12:00Z")],
        "order_items": [item("o1"), item("o2")],
    }
    fill_shop(shop_dsn, given)
    before = extract("2020-01-20", [table])[table]
    assert before.columns["changed_at"] == "timestamptz"
    changes = {
        "transactions": "price = 7", "orders": "order_status = 'cancelled'", "order_items": "quantity = 7"
    }  # fmt: skip
    where = "t_dat = '2020-01-01'" if table == "transactions" else "order_id = 'o1'"
    with psycopg.connect(shop_dsn) as connection:
        connection.execute(f"update {table} set {changes[table]}, changed_at = now() where {where}".encode())
    queries.clear()
    after = extract("2020-01-21", [table])[table]
    changed = {day for day, sha256 in after.days.items() if before.days[day] != sha256}
    assert changed == {"2020-01-01"}
    assert not [query for query in queries if "2020-01-02" in query and "2020-01-03" in query]


def test_a_column_that_is_new_is_read_for_all_days(
    extract: Extract, rows_of: RowsOf, new_shop: Callable[[], str]
) -> None:
    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table transactions drop column currency")
    add(dsn, "transactions", line("2020-01-01"))
    extract("2020-01-20", ["transactions"], source_dsn=SecretStr(dsn))
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table transactions add column currency text default 'EUR'")
    found = extract("2020-01-21", ["transactions"], source_dsn=SecretStr(dsn))["transactions"]
    assert [row["currency"] for row in rows_of(found)] == ["EUR"]


# What is not over yet


def test_an_as_of_in_the_future_is_refused_and_leaves_nothing(
    extract: Extract, shop_dsn: str, settings: Settings
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-01-01")]})
    with pytest.raises(InvalidInputError, match="2036-01-01 is in the future"):
        extract("2036-01-01", ["transactions"])
    assert Store(settings.store).keys("raw") == []


def test_a_snapshot_that_was_taken_before_its_as_of_is_read_again(
    extract: Extract, shop_dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    fill_shop(shop_dsn, {"transactions": [line("2020-01-01")], "articles": [{"article_id": "1"}]})
    monkeypatch.setattr(extraction_module, "CLOCKS_DIFFER", timedelta(days=2))
    extract(str(tomorrow), ["transactions", "articles"])
    add(shop_dsn, "transactions", line(str(today)))
    add(shop_dsn, "articles", {"article_id": "2"})
    again = extract(str(tomorrow), ["transactions", "articles"])
    assert (again["transactions"].rows, again["articles"].rows) == (2, 2)


def test_a_snapshot_of_a_future_that_an_older_version_took_is_passed_over(
    extract: Extract, shop_dsn: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Left by a run as of 2036 before such runs were refused: every later day read nothing, and said nothing."""
    fill_shop(shop_dsn, {"transactions": [line("2020-01-01")]})
    found = extract("2020-01-20", ["transactions"])["transactions"]
    store = Store(settings.store)
    document = {**store.read_json(found.key), "as_of": "2036-01-01", "taken_at": ""}
    store.write(found.key.replace("20200120", "20360101"), json.dumps(document).encode())
    add(shop_dsn, "transactions", line("2020-01-20"))
    assert extract("2020-01-21", ["transactions"])["transactions"].rows == 2


def test_extract_says_what_it_did_not_read_and_why(
    extract: Extract, shop_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "shopmill")
    fill_shop(shop_dsn, {"transactions": [line(f"2020-01-{day:02}") for day in range(1, 21)]})
    assert extract("2020-01-20", ["transactions"])["transactions"].not_read == ""
    told = extract("2020-01-21", ["transactions"])["transactions"].not_read
    assert f"transactions: {told}" in caplog.messages
    assert "16 days before 2020-01-17 kept as read for 2020-01-20" in told
    assert "SHOPMILL_LOOKBACK_DAYS=3" in told
    assert (
        "nothing read, all before 2020-01-10 kept as read for 2020-01-20"
        in extract("2020-01-10", ["transactions"])["transactions"].not_read
    )
