"""Values of a real shop on their way in: blanks, padding, numbers and dates that do not fit, and what loses digits."""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from rows import Extract, RowsOf, line

from shopmill.errors import InvalidInputError

Make = Callable[[str], str]


@pytest.fixture
def shop(made: Make) -> Make:
    """A database made by some statements."""
    return made


@pytest.fixture
def read(extract: Extract, rows_of: RowsOf) -> Callable[..., list[dict[str, Any]]]:
    """The raw rows of one table of a database."""

    def rows(dsn: str, table: str, **changes: Any) -> list[dict[str, Any]]:
        return rows_of(extract("2020-09-23", [table], source_dsn=SecretStr(dsn), **changes)[table])

    return rows


BLANK = ("", " ", "\t", "\u00a0", "\u3000", "\r\n", "\ufeff", "\u200b", "\u200e", "\u2069", "\u00ad", "\x01", "\x7f")


@pytest.mark.parametrize("blank", BLANK)
def test_blank_ids_are_null(extract: Extract, rows_of: RowsOf, shop_dsn: str, blank: str) -> None:
    event = {"event_id": blank, "session_id": blank, "visitor_id": blank, "customer_id": blank, "article_id": blank}
    fill_shop(shop_dsn, {"events": [{**event, "event_type": blank, "event_datetime": "2020-09-20 10:00Z"}]})
    [row] = rows_of(extract("2020-09-23", ["events"])["events"])
    assert {row[name] for name in (*event, "event_type")} == {None}


def test_padding_is_no_part_of_an_id_or_a_word(shop: Make, read: Callable[..., Any]) -> None:
    dsn = shop(
        "create table orders (order_id char(12), customer_id char(8), order_datetime timestamptz, order_status char(12));"
        "insert into orders values ('o1', 'C1', '2020-09-20', 'cancelled'), (' o2', E'C1\\r', '2020-09-20', E'\\tcancelled\\u00a0')"
    )
    rows = read(dsn, "orders")
    assert {(row["order_id"], row["customer_id"], row["order_status"]) for row in rows} == {
        ("o1", "C1", "cancelled"), ("o2", "C1", "cancelled"),
    }  # fmt: skip


def test_what_people_wrote_keeps_its_blanks(extract: Extract, rows_of: RowsOf, shop_dsn: str) -> None:
    texts = ["  a\n\nb  ", " \n ", ""]
    reviews = [{"review_id": f"r{n}", "review_text": text, "review_date": "2020-09-20"} for n, text in enumerate(texts)]
    fill_shop(shop_dsn, {"reviews": reviews})
    found = {row["review_id"]: row["review_text"] for row in rows_of(extract("2020-09-23", ["reviews"])["reviews"])}
    assert found == {"r0": "  a\n\nb  ", "r1": None, "r2": None}


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1234567890123.45", "-1000000000000", "99999999999999999999999.5"]
)
def test_a_number_that_does_not_fit_keeps_its_text(
    shop: Make, read: Callable[..., Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    dsn = shop(
        "create table transactions (t_dat date, article_id text, price numeric, quantity numeric);"
        f"insert into transactions values ('2020-09-20', 'a', '{text}', 1), ('2020-09-20', 'b', 2, '{text}'), ('2020-09-20', 'c', 1, 1)"
        if "Infinity" not in text
        else "create table transactions (t_dat date, article_id text, price float8, quantity float8);"
        f"insert into transactions values ('2020-09-20', 'a', '{text}', 1), ('2020-09-20', 'b', 2, '{text}'), ('2020-09-20', 'c', 1, 1)"
    )
    rows = {row["article_id"]: row for row in read(dsn, "transactions")}
    assert (rows["a"]["price"], json.loads(rows["a"]["misfits"])) == (None, {"price": text})
    assert (rows["b"]["quantity"], json.loads(rows["b"]["misfits"])) == (None, {"quantity": text})
    assert rows["c"]["misfits"] is None
    assert "1 values of price do not fit" in caplog.text


def test_an_integer_that_is_too_large_keeps_its_text(shop: Make, read: Callable[..., Any]) -> None:
    dsn = shop(
        "create table reviews (review_id text, rating bigint, review_text text, review_date timestamptz);"
        "insert into reviews values ('r', 1606521600000, 'good', '2020-09-20')"
    )
    [row] = read(dsn, "reviews")
    assert (row["rating"], json.loads(row["misfits"])) == (None, {"rating": "1606521600000"})


def test_infinite_promotions_are_on_ever_since_and_still(extract: Extract, rows_of: RowsOf, shop_dsn: str) -> None:
    fill_shop(
        shop_dsn,
        {
            "promotions": [
                {"article_id": "a", "starts_on": "-infinity", "ends_on": "infinity"},
                {"article_id": "b", "starts_on": "infinity", "ends_on": "-infinity"},
                {"article_id": "c", "starts_on": "0044-03-15 BC", "ends_on": "10000-01-01"},
            ]
        },
    )
    rows = {row["article_id"]: row for row in rows_of(extract("2020-09-23", ["promotions"])["promotions"])}
    assert {(row["starts_on"], row["ends_on"]) for row in rows.values()} == {(None, None)}
    assert rows["a"]["misfits"] is None
    assert json.loads(rows["b"]["misfits"]) == {"starts_on": "infinity", "ends_on": "-infinity"}
    assert json.loads(rows["c"]["misfits"]) == {"starts_on": "0044-03-15 BC", "ends_on": "10000-01-01"}


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])
def test_a_moment_that_no_reader_opens_keeps_its_text(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, moment: str
) -> None:
    fill_shop(shop_dsn, {"customers": [{"customer_id": "c1", "created_at": moment}]})
    [row] = rows_of(extract("2020-09-23", ["customers"])["customers"])
    assert row["created_at"] is None
    assert json.loads(row["misfits"])["created_at"].startswith(moment[:5])


@pytest.mark.parametrize("day", ["-infinity", "0044-03-15 BC", "infinity", "10000-01-01", "294276-01-01"])
def test_a_fact_that_is_dated_outside_of_all_time_keeps_its_date(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, day: str
) -> None:
    fill_shop(shop_dsn, {"transactions": [line(day)]})
    [row] = rows_of(extract("2020-09-23", ["transactions"])["transactions"])
    assert (row["t_dat"], json.loads(row["misfits"])) == (None, {"t_dat": day})


@pytest.mark.parametrize("moment", ["-infinity", "0044-03-15 BC", "infinity", "10000-01-01", "294276-01-01"])
def test_an_event_and_a_rate_that_are_dated_outside_of_all_time_keep_their_date(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, moment: str
) -> None:
    event = {"event_id": "e", "session_id": "s", "event_type": "view", "event_datetime": moment}
    rate = {"day": moment, "currency": "USD", "rate": 1}
    fill_shop(shop_dsn, {"events": [event], "exchange_rates": [rate]})
    found = extract("2020-09-23", ["events", "exchange_rates"])
    for table, column in (("events", "event_datetime"), ("exchange_rates", "day")):
        [row] = rows_of(found[table])
        assert row[column] is None
        assert json.loads(row["misfits"])[column].startswith(moment[:5])


@pytest.mark.parametrize("moment", ["-infinity", "infinity", "294276-01-01"])
def test_no_item_is_lost_for_a_date_outside_of_all_time(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, moment: str
) -> None:
    """Neither for its own nor for that of its order."""
    orders = [{"order_id": "o1", "order_datetime": "2020-09-01"}, {"order_id": "o2", "order_datetime": moment}]
    items = [
        {"order_id": "o1", "article_id": "own", "item_datetime": moment},
        {"order_id": "o2", "article_id": "order's"},
        {"order_id": "o2", "article_id": "none's", "item_datetime": "2020-09-02"},
    ]
    fill_shop(shop_dsn, {"orders": orders, "order_items": items})
    rows = {row["article_id"]: row for row in rows_of(extract("2020-09-23", ["order_items"])["order_items"])}
    assert rows.keys() == {"own", "order's", "none's"}
    assert list(json.loads(rows["own"]["misfits"])) == ["item_datetime"]


def test_words_of_a_vocabulary_get_one_spelling_and_other_texts_keep_theirs(
    extract: Extract, rows_of: RowsOf, shop_dsn: str
) -> None:
    odd = "ｐａｉｄ"
    order = {
        "order_id": odd,
        "customer_id": odd,
        "order_status": odd,
        "currency": "ＥＵＲ",
        "order_datetime": "2020-09-20",
    }
    fill_shop(shop_dsn, {"orders": [order, {**order, "order_status": None, "currency": "eur"}]})
    found = rows_of(extract("2020-09-23", ["orders"])["orders"])
    assert {(row["order_status"], row["currency"]) for row in found} == {("paid", "EUR"), (None, "eur")}
    assert {(row["order_id"], row["customer_id"]) for row in found} == {(odd, odd)}


@pytest.mark.parametrize(
    ("kind", "given", "expected", "lossy"),
    [
        ("real", "129.95", "129.950000", 0),
        ("real", "12345.678", "12345.678000", 1),  # 12345.678 is what PostgreSQL shows, and more than real is sure of
        ("double precision", "0.0209152542372881", "0.020915", 1),
        ("double precision", "0.00001", "0.000010", 0),
        ("double precision", "0.0000004", "0.000000", 1),
        ("double precision", "129.95", "129.950000", 0),
        ("numeric", "0.0209152542372881", "0.020915", 1),
        ("numeric", "1.5000000000", "1.500000", 0),
        ("numeric", "1.2345675", "1.234568", 1),
        ("numeric(18, 6)", "1.234567", "1.234567", 0),
        ("integer", "7", "7.000000", 0),
    ],
)
def test_prices_are_what_the_shop_shows_and_lost_digits_are_counted(
    shop: Make, read: Callable[..., Any], caplog: pytest.LogCaptureFixture,
    kind: str, given: str, expected: str, lossy: int,
) -> None:  # fmt: skip
    dsn = shop(
        f"create table transactions (t_dat date, article_id text, price {kind});"
        f"insert into transactions values ('2020-09-20', 'a', {given})"
    )
    caplog.set_level(logging.WARNING)
    [row] = read(dsn, "transactions")
    assert str(row["price"]) == expected
    assert ("1 values of price lose digits" in caplog.text) == bool(lossy)


def test_what_the_documented_schema_says_of_prices_is_so(shop_dsn: str) -> None:
    """It once said that they are exact."""
    schema = (files("shopmill.shops") / "schema.sql").read_text()
    said = re.search(
        r"H&M's own prices have up to (\d+) decimals: they are rounded to (\d+)", schema.replace("\n-- ", " ")
    )
    assert said
    price = "0.0209152542372881"
    assert len(price.partition(".")[2]) == int(said[1])
    money = re.findall(r"(?:price|event_value) numeric\(18, (\d+)\)", schema)
    assert set(money) == {said[2]}
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20", price=price)]})
    with psycopg.connect(shop_dsn) as connection:
        kept = connection.execute("select price::text from transactions").fetchone()
    assert kept == ("0.020915",)


def test_a_shops_own_columns_are_attributes(shop: Make, read: Callable[..., Any], tmp_path: Path) -> None:
    dsn = shop(
        'create table book (isbn text, title text, pages integer, "Author" text, tags text[]);'
        "insert into book values ('0001', 'Emma', 474, ' Jane \"J\" Austen ', '{a,b}'), ('0002', 'Ü', null, '', null)"
    )
    (tmp_path / "articles.sql").write_text(
        'select isbn as article_id, title as prod_name, pages, "Author", tags from book -- books'
    )
    rows = {row["article_id"]: row for row in read(dsn, "articles", mapping=str(tmp_path))}
    assert rows["0001"]["attributes"] == '{"Author":"Jane \\"J\\" Austen","pages":"474","tags":"{a,b}"}'
    assert rows["0002"]["attributes"] == '{"Author":null,"pages":null,"tags":null}'
    assert (rows["0002"]["prod_name"], rows["0002"]["detail_desc"]) == ("Ü", None)


def test_without_columns_of_its_own_a_shop_has_no_attributes(extract: Extract, rows_of: RowsOf, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"customers": [{"customer_id": "c1"}]})
    assert [row["attributes"] for row in rows_of(extract("2020-09-23", ["customers"])["customers"])] == [None]


def test_enumerations_domains_and_uuids_are_text(shop: Make, read: Callable[..., Any]) -> None:
    dsn = shop(
        "create type state as enum ('placed', 'voided'); create domain number as varchar(20); create domain code as number;"
        "create table orders (order_id code, customer_id uuid, order_datetime timestamptz, order_status state);"
        "insert into orders values ('o1', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '2020-09-20', 'voided')"
    )
    [row] = read(dsn, "orders")
    assert (row["order_id"], row["order_status"]) == ("o1", "voided")
    assert row["customer_id"] == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def test_an_id_of_which_the_shop_says_that_its_case_means_nothing_is_one_id(
    shop: Make, read: Callable[..., Any], extract: Extract, rows_of: RowsOf
) -> None:
    dsn = shop(
        "create extension if not exists citext; create domain number as citext;"
        "create table orders (order_id number, customer_id citext, order_datetime timestamptz, order_status citext);"
        "create table order_items (order_id citext, article_id citext, quantity int, price numeric);"
        "insert into orders values ('O1', 'Anna', '2020-09-20', 'Sent'); insert into order_items values ('o1', 'ÄRA', 1, 1)"
    )
    found = extract("2020-09-23", ["orders", "order_items"], source_dsn=SecretStr(dsn))
    [order], [item] = rows_of(found["orders"]), rows_of(found["order_items"])
    assert (order["order_id"], order["customer_id"], order["order_status"]) == ("o1", "anna", "Sent")
    assert (item["order_id"], item["article_id"]) == ("o1", "ära")
    assert found["order_items"].files[0].day == "2020-09-20"


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", "2020-09-20 23:30Z", date(2020, 9, 20)),
        ("Europe/Stockholm", "2020-09-20 23:30Z", date(2020, 9, 21)),
        ("America/New_York", "2020-09-21 03:30Z", date(2020, 9, 20)),
    ],
)
def test_a_moment_as_t_dat_is_the_shops_day(
    shop: Make, read: Callable[..., Any], zone: str, moment: str, day: date
) -> None:
    dsn = shop(
        "create table transactions (t_dat timestamptz, article_id text, price numeric);"
        f"insert into transactions values ('{moment}', 'a', 1)"
    )
    assert [row["t_dat"] for row in read(dsn, "transactions", time_zone=zone)] == [day]


def test_a_mapping_sees_the_settings(shop: Make, read: Callable[..., Any], tmp_path: Path) -> None:
    dsn = shop(
        "create table till (at timestamp, sku text, amount numeric); insert into till values ('2020-09-21 00:30', 'a', 1)"
    )
    (tmp_path / "transactions.sql").write_text(
        "with lines as (select * from till)\n"
        "select at at time zone current_setting('shopmill.time_zone') as t_dat, sku as article_id, amount as price,\n"
        "current_setting('shopmill.currency') as currency, current_setting('timezone') as customer_id from lines; -- all"
    )
    [row] = read(dsn, "transactions", mapping=str(tmp_path), time_zone="Europe/Stockholm", currency="SEK")
    assert (row["t_dat"], row["currency"], row["customer_id"]) == (date(2020, 9, 21), "SEK", "Europe/Stockholm")


def test_a_column_that_is_selected_twice_is_refused(shop: Make, read: Callable[..., Any], tmp_path: Path) -> None:
    dsn = shop("create table a (x text, y text)")
    (tmp_path / "articles.sql").write_text("select x as article_id, y as article_id from a")
    with pytest.raises(InvalidInputError, match=r"articles\.article_id is selected twice"):
        read(dsn, "articles", mapping=str(tmp_path))


def test_events_need_to_say_who(shop: Make, read: Callable[..., Any]) -> None:
    from shopmill.errors import SchemaDriftError

    dsn = shop("create table events (event_id text, event_type text, event_datetime timestamptz, article_id text)")
    with pytest.raises(SchemaDriftError, match="none of visitor_id, session_id, customer_id"):
        read(dsn, "events")


def test_an_item_that_came_back_later_is_of_the_day_when_it_came_back(
    extract: Extract, rows_of: RowsOf, shop_dsn: str
) -> None:
    orders = [{"order_id": "o1", "order_datetime": "2020-09-01 10:00Z"}]
    items = [
        {"order_id": "o1", "article_id": "a", "quantity": 2, "price": 1},
        {"order_id": "o1", "article_id": "a", "quantity": -1, "price": 1, "item_datetime": "2020-09-15 10:00Z"},
        {"order_id": "o1", "article_id": "b", "quantity": -1, "price": 1, "item_datetime": "2020-09-23 00:00Z"},
        {"order_id": "none", "article_id": "c", "quantity": 1, "price": 1},
    ]
    fill_shop(shop_dsn, {"orders": orders, "order_items": items})
    found = extract("2020-09-23", ["order_items"])["order_items"]
    assert [(file.day, file.rows) for file in found.files] == [("2020-09-01", 1), ("2020-09-15", 1), ("undated", 1)]
    assert [row["item_datetime"] for row in rows_of(found)][1] == datetime(2020, 9, 15, 10, tzinfo=UTC)
    assert rows_of(found)[2]["order_id"] == "none"


def test_a_latin_database_is_read_in_unicode(
    database: Callable[[], str], postgres: Any, read: Callable[..., Any]
) -> None:
    dsn = _encoded(postgres, "LATIN1")
    _articles(dsn, "latin1", "Crème", "LATIN1")
    assert [row["prod_name"] for row in read(dsn, "articles")] == ["Crème"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin1"])
def test_text_in_no_encoding_is_refused_by_name_and_nothing_is_recorded(
    postgres: Any, read: Callable[..., Any], encoding: str, settings: Any
) -> None:
    from shopmill.versions.store import Store

    dsn = _encoded(postgres, "SQL_ASCII")
    _articles(dsn, encoding, "Crème", "SQL_ASCII")
    with pytest.raises(InvalidInputError, match=r"articles\.prod_name .*SQL_ASCII.*SHOPMILL_SOURCE_ENCODING"):
        read(dsn, "articles")
    assert not [key for key in Store(settings.store).keys("raw/articles") if key.endswith(".json")]
    if encoding == "utf-8":
        assert [row["prod_name"] for row in read(dsn, "articles", source_encoding="UTF8")] == ["Crème"]
    else:
        with pytest.raises(InvalidInputError, match=r"articles\.prod_name has bytes that are no UTF-8"):
            read(dsn, "articles", source_encoding="UTF8")


def test_an_ascii_database_with_ascii_alone_is_read(postgres: Any, read: Callable[..., Any]) -> None:
    dsn = _encoded(postgres, "SQL_ASCII")
    _articles(dsn, "ascii", "Creme", "SQL_ASCII")
    assert [row["prod_name"] for row in read(dsn, "articles")] == ["Creme"]


def _encoded(postgres: Any, encoding: str) -> str:
    """An empty database in an encoding; it is made anew."""
    name = f"encoded_{encoding.lower()}"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name}".encode())
        admin.execute(
            f"create database {name} owner tester encoding '{encoding}' locale 'C' template template0".encode()
        )
    return str(postgres.dsn(name, "tester"))


def _articles(dsn: str, written: str, name: str, client: str) -> None:
    with psycopg.connect(dsn, client_encoding=client) as connection:
        connection.execute("create table articles (article_id text, prod_name text)")
        connection.execute(b"insert into articles values ('a', '" + name.encode(written) + b"')")


POLICY = """
create table transactions (t_dat date, article_id text, price numeric, tenant text);
insert into transactions values ('2020-09-20', 'a', 1, 'ours'), ('2020-09-20', 'b', 1, 'theirs');
alter table transactions enable row level security;
create policy ours on transactions using (tenant = 'ours');
"""


@pytest.fixture
def secured(shop: Make, postgres: Any) -> str:
    """A shop of which its reader sees a half, by a policy."""
    database = psycopg.conninfo.conninfo_to_dict(shop(POLICY))["dbname"]
    postgres.ensure_role("half_reader")
    with psycopg.connect(postgres.admin_dsn(str(database))) as admin:
        admin.execute(
            f"grant connect on database {database} to half_reader; grant select on transactions to half_reader".encode()
        )
    return str(postgres.dsn(str(database), "half_reader"))


def test_row_security_that_hides_rows_is_refused(secured: str, read: Callable[..., Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"transactions .*SHOPMILL_ROW_SECURITY=allow"):
        read(secured, "transactions")


def test_a_policy_that_makes_the_shop_is_part_of_whose_rows_they_are(
    secured: str, read: Callable[..., Any], extract: Extract, postgres: Any
) -> None:
    assert [row["article_id"] for row in read(secured, "transactions", row_security="allow")] == ["a"]
    database = str(psycopg.conninfo.conninfo_to_dict(secured)["dbname"])
    owner = SecretStr(postgres.dsn(database, "tester"))
    with pytest.raises(InvalidInputError, match=r"another shop .*role tester, not half_reader"):
        extract("2020-09-24", ["transactions"], source_dsn=owner)
