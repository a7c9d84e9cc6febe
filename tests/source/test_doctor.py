"""The doctor's findings on a well shop, and on one with every kind of trouble."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import examine
from shopmill.source.findings import Finding
from shopmill.source.shop import move

LINE = {"customer_id": "c1", "article_id": "0001", "price": 1}
SHOP: dict[str, Any] = {
    "customers": [{"customer_id": "c1"}],
    "articles": [{"article_id": "0001"}],
    "transactions": [{**LINE, "t_dat": "2020-09-20"}, {**LINE, "t_dat": "2020-09-22"}],
    "orders": [
        {"order_id": "o1", "customer_id": "c1", "order_datetime": "2020-09-20 10:00:00Z", "order_status": "sent"}
    ],
    "order_items": [{"order_id": "o1", "article_id": "0001", "quantity": 1, "price": 1}],
    "events": [
        {
            "event_id": "e1",
            "customer_id": "c1",
            "article_id": "0001",
            "event_type": "View",
            "event_datetime": "2020-09-20 10:00:00Z",
        }
    ],
    "reviews": [
        {
            "review_id": "r1",
            "article_id": "0001",
            "customer_id": "c1",
            "rating": 5,
            "review_date": "2020-09-20 10:00:00Z",
        }
    ],
    "promotions": [{"kind": "sale", "article_id": "0001"}],
    "exchange_rates": [{"day": "2020-01-01", "currency": "USD", "rate": 1}],
}
INDEXES = """
create index on transactions (t_dat); create index on orders (order_datetime);
create index on events (event_datetime); create index on reviews (review_date);
"""


@pytest.fixture(scope="module")
def shop(new_shop: Callable[[], str]) -> str:
    dsn = new_shop()
    fill_shop(dsn, SHOP)
    with psycopg.connect(dsn) as connection:
        connection.execute(INDEXES)
    return dsn


def findings(settings: Settings, dsn: str) -> dict[str, Finding]:
    return {
        found.subject: found
        for found in examine(settings.model_copy(update={"source_dsn": SecretStr(dsn)}), datasets.load_all())
    }


def test_a_well_shop(settings: Settings, shop: str, postgres: EmbeddedPostgres) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(shop)["dbname"])
    postgres.ensure_role("doctor")
    with psycopg.connect(postgres.admin_dsn(database)) as admin:
        admin.execute(
            f"grant connect on database {database} to doctor; grant select on all tables in schema public to doctor".encode()
        )
    old = {dataset.name: {"stale_days": 36500} for dataset in datasets.load_all()}
    found = findings(settings.model_copy(update={"parameters": old}), postgres.dsn(database, "doctor"))
    assert {finding.level for finding in found.values()} == {"ok"}
    assert set(SHOP) < set(found)
    assert found["orders.order_status"].text == "sent 1"
    assert found["transactions"].text == "2 rows from 2020-09-20 to 2020-09-22"


@pytest.mark.parametrize(("age", "stale_days"), [(0, None), (7, None), (8, 7), (14, 7), (15, 14)])
def test_rows_that_would_stop_a_run_of_today(
    settings: Settings, new_shop: Callable[[], str], age: int, stale_days: int | None
) -> None:
    """7 is of training_labels alone, 14 of the others."""
    dsn, newest = new_shop(), datetime.now(UTC).date() - timedelta(days=age)
    fill_shop(dsn, {**SHOP, "transactions": [{**LINE, "t_dat": newest}]})
    found = findings(settings, dsn).get("transactions fresh")
    assert (found is None) == (stale_days is None)
    if found:
        assert (found.level, f"stale_days is {stale_days}" in found.text) == ("warn", True)
        assert f"--as-of {newest + timedelta(days=1)}" in found.fix
        assert f"stale_days = {age} below [parameters." in found.fix
        assert ("user_item_interactions" in found.suffers) == (stale_days == 14)
        assert "training_labels" in found.suffers
    lenient = {dataset.name: {"stale_days": 15} for dataset in datasets.load_all()}
    assert "transactions fresh" not in findings(settings.model_copy(update={"parameters": lenient}), dsn)


def test_a_table_that_lost_most_of_its_rows(settings: Settings, new_shop: Callable[[], str]) -> None:
    dsn = new_shop()
    lines = [{**LINE, "t_dat": "2020-09-22"}] * 4
    fill_shop(dsn, {**SHOP, "transactions": lines})
    chosen = settings.model_copy(update={"source_dsn": SecretStr(dsn)})
    steps.run_all(Run.create(datasets.load("user_item_interactions"), "2020-09-23", chosen))
    assert "transactions rows" not in findings(settings, dsn)
    fill_shop(dsn, {**SHOP, "transactions": lines[:1]})
    lost = findings(settings, dsn)["transactions rows"]
    assert (lost.level, lost.suffers) == ("warn", ("user_item_interactions",))
    assert "has 1 rows, and the current versions were made of 4" in lost.text
    assert "-p max_row_drop=0.76" in lost.fix


def test_a_role_that_may_write_is_warned_about(settings: Settings, shop: str) -> None:
    role = findings(settings, shop)["role"]
    assert (role.level, "9 tables" in role.text, "SELECT" in role.fix.upper()) == ("warn", True, True)


def test_no_connection_is_the_only_finding(settings: Settings) -> None:
    found = findings(settings, "postgresql://shop:hunter2@127.0.0.1:1/shop")
    assert set(found) == {"connection"}
    assert found["connection"].level == "error"
    assert "hunter2" not in str(found)
    assert "user_item_interactions" in found["connection"].suffers
    assert set(findings(settings, "")) == {"connection"}


def test_every_kind_of_trouble(settings: Settings, new_shop: Callable[[], str]) -> None:
    dsn = new_shop()
    undated = {**LINE, "t_dat": None}
    fill_shop(dsn, {**SHOP, "reviews": [], "transactions": [undated, {**LINE, "t_dat": "2020-09-20"}]})
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "alter table customers drop column customer_id; alter table articles alter article_id type bigint using 1;"
            "alter table articles drop column detail_desc; drop table events; drop table promotions"
        )
    found = findings(settings, dsn)
    levels = {subject: finding.level for subject, finding in found.items()}
    assert levels["customers"] == "error"  # the canonical SELECT names the column that is missing
    assert levels["articles.article_id"] == "error"
    assert (levels["events"], "is not there" in found["events"].text) == ("ok", True)
    assert "user_item_interactions" in found["events"].suffers
    assert levels["promotions"] == "ok"
    assert (levels["reviews"], found["reviews"].text) == ("ok", "is empty")
    assert (levels["transactions"], "1 without a usable t_dat" in found["transactions"].text) == ("warn", True)
    assert "no index" in found["transactions.t_dat"].text


def test_columns_are_named_with_what_they_should_be(
    settings: Settings, shop: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mapping = tmp_path_factory.mktemp("mapping")
    (mapping / "customers.sql").write_text('select customer_id::bytea, "FN"::text, "Active" from customers')
    (mapping / "order.sql").write_text("select 1")
    found = findings(settings.model_copy(update={"mapping": str(mapping)}), shop)
    assert found["customers.customer_id"].text == "is bytea, expected varchar"
    assert found["customers.FN"].text == "is text, expected integer"
    assert "cast" in found["customers.FN"].fix
    assert "customers.age" not in found
    assert found[str(mapping / "order.sql")].fix == "name it orders.sql"
    assert all(finding.document()["subject"] for finding in found.values())


Make = Callable[[str], str]


def test_only_the_tables_of_one_dataset_are_no_error(settings: Settings, made: Make) -> None:
    dsn = made(
        "create table reviews (review_id text, article_id text, rating integer, review_text text, review_date timestamptz);"
        "insert into reviews values ('r1', 'a', 5, 'good', '2020-01-01'); create index on reviews (review_date);"
        "create table articles (article_id text); insert into articles values ('a')"
    )
    assert {f.subject for f in findings(settings, dsn).values() if f.level != "ok"} == {"role"}


def test_a_database_without_a_table_of_the_contract(settings: Settings, made: Make) -> None:
    found = findings(settings, made("create table other (a integer)"))
    assert (found["tables"].level, "none" in found["tables"].text) == ("error", True)


CATALOGUE = "create table articles (article_id {}); insert into articles select {} from generate_series(1, 30) n;"
SALES = (
    "create table transactions (t_dat date, article_id {}, price numeric);"
    "insert into transactions select '2020-01-01', {}, 1 from generate_series(1, 30) n"
)


@pytest.mark.parametrize(
    ("catalogue", "sold", "difference"),
    [
        ("lpad(n::text, 10, '0')", "n::text", "leading zeros"),
        ("'Art' || n", "'ART' || n", "upper and lower case"),
        ("U&'\\00e9' || n", "U&'e\\0301' || n", "composed and decomposed letters"),
        ("n::text", "n || '.0'", "a .0 at the end"),
        ("'A-' || n", "'A' || n", "not a letter or a digit"),
    ],
)
def test_keys_that_do_not_join_say_why(
    settings: Settings, made: Make, catalogue: str, sold: str, difference: str
) -> None:
    dsn = made(CATALOGUE.format("text", catalogue) + SALES.format("text", sold))
    found = findings(settings, dsn)["transactions.article_id"]
    assert (found.level, "(30 of 30)" in found.text, found.text.count("'") // 2) == ("error", True, 10)
    assert difference in found.fix


def test_keys_of_the_newest_rows_are_looked_at_in_a_table_of_any_size(
    settings: Settings, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop that numbers its articles anew finds that out before a run does."""
    monkeypatch.setattr("shopmill.source.doctor_keys.SAMPLE", 30)
    dsn = made(CATALOGUE.format("text", "'A' || n") + SALES.format("text", "'A' || n"))
    assert findings(settings, dsn)["transactions.article_id"].level == "ok"
    with psycopg.connect(dsn) as connection:
        connection.execute("insert into transactions select t_dat + 1, 'B' || article_id, price from transactions")
    found = findings(settings, dsn)["transactions.article_id"]
    assert (found.level, "(30 of 60)" in found.text) == ("warn", True)


@pytest.mark.parametrize(
    ("kind", "sold"),
    [
        ("char(12)", "'A' || n"),
        ("text", "E' \\tA' || n || E'\\r\\n'"),
        ("text", "U&'\\00A0\\3000A' || n || U&'\\FEFF'"),
    ],
)
def test_blanks_around_a_key_are_no_difference(settings: Settings, made: Make, kind: str, sold: str) -> None:
    """They are cut off as the rows are read."""
    dsn = made(CATALOGUE.format(kind, "'A' || n") + SALES.format("text", sold))
    assert findings(settings, dsn)["transactions.article_id"].level == "ok"


def test_a_status_that_a_setting_has_is_not_asked_about(settings: Settings, made: Make) -> None:
    dsn = made(
        "create table orders (order_id text, order_datetime timestamptz, order_status text);"
        "insert into orders values ('1', '2020-01-01', 'Refunded'), ('2', '2020-01-01', 'İptal edildi'), ('3', '2020-01-01', 'sent')"
    )
    asked = findings(settings, dsn)["orders.order_status"]
    assert (asked.level, "refunded 1" in asked.text, "iptal edildi 1" in asked.text) == ("warn", True, True)
    decided = {"sold_statuses": ("REFUNDED",), "cancelled_statuses": ("iptal edildi",)}
    assert findings(settings.model_copy(update=decided), dsn)["orders.order_status"].level == "ok"


def test_a_promotion_of_a_group_that_no_article_has_is_told(settings: Settings, made: Make) -> None:
    dsn = made(
        "create table articles (article_id text, product_group_name text);"
        "create table promotions (product_group_name text, starts_on date);"
        "insert into articles values ('a', 'Cups'); insert into promotions values ('cups', '2020-01-01'), ('Cups', '2020-01-01')"
    )
    found = findings(settings, dsn)["promotions.product_group_name"]
    assert (found.level, "50% (1 of 2) are not in articles: 'cups'" in found.text) == ("warn", True)
    assert "upper and lower case" in found.fix


def test_ratings_and_quantities_out_of_range(settings: Settings, made: Make) -> None:
    """A run would reject them, and be blocked: a scale of ten stars, returns among the sales."""
    dsn = made(
        "create table reviews (review_id text, article_id text, rating integer, review_text text, review_date timestamptz);"
        "insert into reviews select n, 'a', n, 'good', '2020-01-01' from generate_series(1, 10) n;"
        "create table transactions (t_dat date, article_id text, price numeric, quantity numeric);"
        "insert into transactions select '2020-01-01', 'a', 1, q from unnest(array[0, -1, null, 2]) q;"
    )
    found = findings(settings, dsn)
    rating, quantity = found["reviews.rating"], found["transactions.quantity"]
    assert (rating.level, "50% (5) are outside of 1 to 5" in rating.text, "/ 2.0" in rating.fix) == ("warn", True, True)
    assert (quantity.level, "50% (2) are not above 0" in quantity.text) == ("warn", True)
    assert "order_items" in quantity.fix


def test_items_without_orders_are_told(settings: Settings, made: Make) -> None:
    dsn = made(
        "create table orders (order_id text, order_datetime timestamptz);"
        "insert into orders select 'o' || n, '2020-01-01' from generate_series(1, 4) n;"
        "create table order_items (order_id text, article_id text, quantity integer, price numeric);"
        "insert into order_items select 'o' || n, 'a', 1, 1 from generate_series(1, 100) n"
    )
    found = findings(settings, dsn)["order_items.order_id"]
    assert (found.level, "96% (96 of 100) are not in orders" in found.text) == ("warn", True)


@pytest.mark.parametrize(
    ("column", "kind", "values", "level", "words"),
    [
        ("orders.order_status", "text", ["sent", "Refunded", "refunded ", "canceled"], "warn", "refunded 2"),
        ("orders.order_status", "text", ["ｓｅｎｔ", "sent", "ＳＥＮＴ\u200e"], "ok", "sent 3"),
        ("orders.order_status", "text", ["sent", "sent", "ask anna@example.org"], "ok", "sent 2, ask ••• 1"),
        ("orders.order_status", "char(12)", ["cancelled", "Voided", "sent"], "ok", "cancelled 1"),
        ("events.event_type", "text", ["page_view", "page_view", "addtocart"], "error", "page_view 2, addtocart 1"),
        ("events.event_type", "text", ["VIEW", "scroll"], "ok", "view 1; unknown, counted as other: scroll 1"),
        ("events.customer_id", "text", ["NA", "NA", "c1"], "warn", "'NA' stands in 2 rows"),
        ("events.visitor_id", "text", ["x"] * 12, "error", "the same in all of 12 events"),
        ("transactions.price", "numeric", ["NaN", "1", "1234567890123"], "warn", "2 values do not fit"),
        ("transactions.price", "float8", ["0.0209152542372881", "1"], "warn", "1 values have more than 6 decimals"),
        ("transactions.price", "real", ["1"], "warn", "is real"),
        ("transactions.price", "numeric", [None, "1", "1", "1"], "warn", "25% (1) are null or blank"),
        ("transactions.price", "numeric", [None], "error", "100% (1) are null or blank"),
        ("transactions.price", "numeric", ["-1", "1", "1", "1"], "warn", "25% (1) are below 0"),
        ("customers.customer_id", "text", ["a", "a ", "b", "c"], "warn", "25% (1) repeat an id"),
        ("events.event_type", "text", ["view", "x" * 500], "ok", f"unknown, counted as other: {'x' * 40}… 1"),
        ("transactions.article_id", "text", ["", " ", "a"], "warn", "66.7% (2) are null or blank"),
        ("transactions.article_id", "text", ["\u00a0", "\u3000\ufeff", "a"], "warn", "66.7% (2) are null or blank"),
        ("customers.customer_id", "text", ["a", "\u3000a", "b", "c"], "warn", "25% (1) repeat an id"),
        ("orders.order_status", "text", ["sent", "\u00a0Refunded", "refunded"], "warn", "refunded 2"),
        ("events.customer_id", "text", ["NA", "NA\u200b", "c1"], "warn", "stands in"),
        ("transactions.t_dat", "date", ["infinity", "2020-01-01"], "warn", "1 without a usable t_dat"),
        ("transactions.t_dat", "date", ["1900-01-01", "2020-01-01"], "warn", "1 dated before SHOPMILL_FIRST_DAY (2000-01-01)"),
        ("transactions.t_dat", "date", ["2001-01-01", *["2020-01-01"] * 10], "warn", "1 rows, the first of 2001-01-01"),
        ("customers.created_at", "timestamptz", ["infinity"], "warn", "1 values are outside of the years"),
    ],
)  # fmt: skip
def test_odd_values_are_told(
    settings: Settings, made: Make, column: str, kind: str, values: list[str], level: str, words: str
) -> None:
    table, _, name = column.partition(".")
    columns = {
        "orders": {"order_id": "text", "order_datetime": "timestamptz"},
        "events": {"event_id": "text", "session_id": "text", "event_type": "text", "event_datetime": "timestamptz"},
        "transactions": {"t_dat": "date", "article_id": "text", "price": "numeric"},
        "customers": {"customer_id": "text"},
    }[table] | {name: kind}
    dsn = made(f"create table {table} ({', '.join(f'{n} {k}' for n, k in columns.items())})")
    with psycopg.connect(dsn) as connection:
        for number, value in enumerate(values):
            row = {n: "2020-01-01" if k in {"date", "timestamptz"} else str(number) for n, k in columns.items()} | {
                name: value
            }
            row |= {"event_type": value if name == "event_type" else "view"} if table == "events" else {}
            places = ", ".join(["%s"] * len(row))
            connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})".encode(), list(row.values()))
    changed = settings.model_copy(update={"source_dsn": SecretStr(dsn)})
    found = [f for f in examine(changed, datasets.load_all()) if f.subject in {column, table}]
    assert [f.level for f in found if words in f.text] == [level], [f.text for f in found]


ORDERS = "create table o (id integer, placed timestamp, at timestamptz); create table c (id integer primary key);"
MAPPED = "select o.id::text as order_id, {} as order_datetime from o"


@pytest.mark.parametrize(
    ("statements", "select", "served"),
    [
        ("create index on o (at)", MAPPED.format("at"), True),
        ("create index on o using brin (at)", MAPPED.format("at"), True),
        ("create index on o (at desc, id)", MAPPED.format("at"), True),
        ("create index on o (id, at)", MAPPED.format("at"), False),
        ("create index on o using brin (id, at)", MAPPED.format("at"), True),
        ("create index on o using hash (at)", MAPPED.format("at"), False),
        ("create index on o (at) where id > 5", MAPPED.format("at"), False),
        ("create index \"Ü \"\"1\"\"\" on o (at)", MAPPED.format("at"), True),
        ("", MAPPED.format("at"), False),
        ("create index on o (id)", MAPPED.format("at") + " join c on c.id = o.id", False),
        ("create index on o (at)", MAPPED.format("at") + " join c on c.id = o.id", True),
        ("create index on o (placed)", MAPPED.format("placed at time zone 'Europe/Stockholm'"), False),
        ("create index on o ((placed at time zone 'Europe/Stockholm'))", MAPPED.format("placed at time zone 'Europe/Stockholm'"), True),
        ("create index on o (id) where at is not null", MAPPED.format("at") + " where at is not null", False),
        ("drop table o; create table o (id integer, at timestamptz) partition by range (at);"
         "create table o1 partition of o for values from ('2019-01-01') to ('2020-01-01')", MAPPED.format("at"), True),
    ],
)  # fmt: skip
def test_an_index_counts_that_serves_the_time(
    settings: Settings, made: Make, tmp_path: Path, statements: str, select: str, served: bool
) -> None:
    dsn = made(f"{ORDERS} {statements}")
    (tmp_path / "orders.sql").write_text(select)
    found = findings(settings.model_copy(update={"mapping": str(tmp_path)}), dsn)
    assert ("orders.order_datetime" not in found) == served


OF_THE_SETTING = MAPPED.format("placed at time zone current_setting('shopmill.time_zone')")


def test_an_index_serves_a_zone_that_is_asked_for(settings: Settings, made: Make, tmp_path: Path) -> None:
    """What a setting gives can be in no index: the mapping is read with the name of the zone in its place, and doctor says so."""
    (tmp_path / "orders.sql").write_text(OF_THE_SETTING)
    chosen = settings.model_copy(update={"mapping": str(tmp_path), "time_zone": "Europe/Stockholm"})
    dsn = made(ORDERS)
    told = "with 'Europe/Stockholm' in the place of current_setting('shopmill.time_zone')"
    assert told in findings(chosen, dsn)["orders.order_datetime"].fix
    with psycopg.connect(dsn) as connection:
        connection.execute("create index on o ((placed at time zone 'Europe/Stockholm'))")
    assert "orders.order_datetime" not in findings(chosen, dsn)


def test_row_security_and_another_shop_are_errors(settings: Settings, made: Make, postgres: EmbeddedPostgres) -> None:
    dsn = made(
        "create table articles (article_id text, tenant text); insert into articles values ('a', 'x');"
        "alter table articles enable row level security; create policy p on articles using (tenant = 'y')"
    )
    database = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    postgres.ensure_role("doctor")
    with psycopg.connect(postgres.admin_dsn(database)) as admin:
        admin.execute(f"grant connect on database {database} to doctor; grant select on articles to doctor".encode())
    found = findings(settings, postgres.dsn(database, "doctor"))
    assert (found["articles"].level, "row-level security" in found["articles"].text) == ("error", True)
    other = made("create table articles (article_id text)")
    move(settings.model_copy(update={"source_dsn": SecretStr(other)}))
    found = findings(settings, dsn)
    assert (found["store"].level, "another shop" in found["store"].text) == ("error", True)
