"""`shopmill init` on real databases: canonical, of a platform, with names of its own, and those that it refuses."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from golden import fill_shop

from shopmill.shops.postgres import EmbeddedPostgres

HERE = Path(__file__).parent
SCHEMAS = HERE.parent / "platforms" / "schemas"
Run = Callable[..., tuple[int, str, str]]
Made = Callable[[str], str]
CANONICAL = {
    "customers": [{"customer_id": "c1"}],
    "articles": [{"article_id": "0001", "prod_name": "Cup"}],
    "transactions": [{"t_dat": "2026-10-30", "customer_id": "c1", "article_id": "0001", "price": 1, "currency": "SEK"}],
    "orders": [{"order_id": "o1", "customer_id": "c1", "order_datetime": "2026-10-30 10:00Z", "order_status": "sent"}],
    "order_items": [{"order_id": "o1", "article_id": "0001", "quantity": 1, "price": 1}],
    "events": [
        {"event_id": "e1", "customer_id": "c1", "event_type": "view", "event_datetime": "2026-10-30 10:00Z"},
    ],
    "reviews": [{"review_id": "r1", "article_id": "0001", "rating": 5, "review_date": "2026-10-30 10:00Z"}],
}


@pytest.fixture
def folder(tmp_path: Path, registry_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to begin in, with a registry."""
    place = tmp_path / "shop"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", registry_dsn)
    return place


@pytest.fixture
def shopmill(shopmill: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in the empty folder."""
    monkeypatch.chdir(folder)
    return shopmill


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".shopmill" not in path.parts)


def test_a_canonical_shop_is_through_at_once(
    shopmill: Run, folder: Path, new_shop: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = new_shop()
    fill_shop(dsn, CANONICAL)
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", dsn)
    code, out, err = shopmill("init")
    assert (code, err) == (0, "")
    assert left(folder) == ["shopmill.toml"]
    assert "there is nothing to map" in out
    assert tomllib.loads((folder / "shopmill.toml").read_text()) == {
        "currency": "SEK",
        "parameters": {"timeseries": {}},
    }
    [step] = [line for line in out.splitlines() if line.startswith("Next: ")]
    assert step == "Next: shopmill run user_item_interactions --as-of 2026-10-31"
    code, out, _ = shopmill(*step.split()[2:])
    assert (code, "published, 1 rows, 0 rejected" in " ".join(out.split())) == (0, True)


def test_a_shop_with_names_of_its_own(shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made((HERE / "shop_of_its_own.sql").read_text()))
    code, out, _ = shopmill("init", "--json")
    said = json.loads(out)
    assert code == 0
    assert {finding["level"] for finding in said["doctor"]} == {"ok", "warn"}
    assert said["written"] == ["shopmill.toml", *sorted(f"mapping/{path.name}" for path in folder.glob("mapping/*"))]
    settings = tomllib.loads((folder / "shopmill.toml").read_text())
    assert settings == {
        "mapping": "mapping",
        "currency": "EUR",
        "cancelled_statuses": ["annulled"],
        "event_vocabulary": "segment",
        "parameters": {"timeseries": {}},
    }
    text = (folder / "shopmill.toml").read_text()
    assert "\n# time_zone = " in text
    assert "\n# country = " in text
    sales = (folder / "mapping" / "transactions.sql").read_text()
    assert sales.endswith("\n-- where placed.state not in ('cart')\n")
    asked = "\n".join(said["questions"])
    for words in ("time zone", "cart 1", "1 of 4 have no client_id", "tier"):
        assert words in asked
    code, out, err = shopmill("run", "user_item_interactions", "--as-of", "2026-11-01", "--json")
    assert code == 0, err  # on a busy machine it says which step it is at
    found = {row["article_id"]: row for row in rows(shopmill) if row["customer_id"] == "7"}
    assert {n: found["A-1"][n] for n in ("purchase_count", "unit_count", "spend_sum", "return_count")} == {
        "purchase_count": "1",
        "unit_count": "3.000000",
        "spend_sum": "30.000000",
        "return_count": "1.000000",
    }


def rows(shopmill: Run) -> list[dict[str, str]]:
    path = shopmill("path", "user_item_interactions", "--table", "interactions")[1].strip()
    found = pq.read_table(path, partitioning=None).to_pylist()
    return [{name: str(value) for name, value in row.items()} for row in found]


def test_the_presets_of_platforms(shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made((SCHEMAS / "saleor.sql").read_text()))
    code, out, _ = shopmill("init")
    assert (code, left(folder)) == (1, ["shopmill.toml"])
    assert "Which currency is the shop's own? EUR 2, USD 1 of transactions." in out
    assert tomllib.loads((folder / "shopmill.toml").read_text())["mapping"] == "saleor"
    assert "The tables are those of Saleor" in out


TABLES = {
    "northwind": """
        create table customers (customer_id varchar(5) primary key, company_name text, country text);
        create table products (product_id smallint primary key, product_name text, unit_price numeric, units_in_stock smallint);
        create table orders (order_id smallint primary key, customer_id varchar(5), order_date date);
        create table order_details (order_id smallint, product_id smallint, unit_price numeric, quantity smallint);
        insert into customers values ('A', 'Ann', 'SE'); insert into products values (1, 'Chai', 18, 39);
        insert into orders values (7, 'A', '2026-10-30'); insert into order_details values (7, 1, 18, 2)""",
    "one table": """
        create table online_retail (invoiceno text, stockcode text, description text, quantity int, invoicedate timestamp,
            unitprice numeric, customerid text);
        insert into online_retail values ('7', '1', 'Chai', 2, '2026-10-30 10:00', 18, 'A'),
            ('C8', '1', 'Chai', -1, '2026-10-30 11:00', 18, 'A')""",
    "camel case": """
        create table "User" (id text primary key, "createdAt" timestamp);
        create table "Product" (id text primary key, name text, "priceCents" int);
        create table "Order" (id text primary key, "userId" text, status text, "createdAt" timestamp);
        create table "OrderItem" (id text primary key, "orderId" text, "productId" text, quantity int, "unitCents" int);
        create table "CartItem" (id text, "userId" text, "productId" text, quantity int, price numeric, "createdAt" timestamp);
        insert into "User" values ('A', '2026-10-01'); insert into "Product" values ('1', 'Chai', 1800);
        insert into "Order" values ('7', 'A', 'paid', '2026-10-30');
        insert into "OrderItem" values ('x', '7', '1', 2, 1800)""",
}


@pytest.mark.parametrize("name", TABLES)
def test_shapes_of_shops(name: str, shopmill: Run, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made(TABLES[name]))
    code, out, _ = shopmill("init")
    assert code == 0, out
    assert shopmill("run", "user_item_interactions", "--as-of", "2026-10-31")[0] == 0
    [row] = rows(shopmill)
    wanted = ("customer_id", "article_id", "unit_count", "spend_sum")
    assert [row[column] for column in wanted] == ["A", "1", "2.000000", "36.000000"]


def test_what_is_missing_is_a_commented_file_with_a_question(
    shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = TABLES["northwind"] + "; create table reviews (id int, body text, written date)"
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made(statements))
    code, out, _ = shopmill("init")
    assert code == 0
    lines = (folder / "mapping" / "reviews.sql").read_text().splitlines()
    assert all(line.startswith("--") for line in lines)
    assert "question reviews.sql: Which column of reviews is rating?" in out
    assert "ok reviews is not there" in out


def test_what_the_environment_says_counts(
    shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = made(TABLES["northwind"])
    monkeypatch.setenv("SHOPMILL_TIME_ZONE", "Europe/Oslo")
    code, out, _ = shopmill("init", "--dsn", dsn)
    assert code == 0
    assert tomllib.loads((folder / "shopmill.toml").read_text())["time_zone"] == "Europe/Oslo"
    assert "set SHOPMILL_SOURCE_DSN to the connection string that you gave" in out
    assert dsn not in (folder / "shopmill.toml").read_text()


def test_nothing_is_written_over(shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made(TABLES["northwind"]))
    (folder / "shopmill.toml").write_text('currency = "EUR"\n')
    code, out, err = shopmill("init")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "shopmill.toml is there already" in err
    assert left(folder) == ["shopmill.toml"]
    assert shopmill("init", "--force")[0] == 0
    assert (folder / "shopmill.toml.bak").read_text() == 'currency = "EUR"\n'
    (folder / "shopmill.toml").unlink()
    code, _, err = shopmill("init")
    assert (code, "mapping is there already" in err) == (1, True)


REFUSED = {
    "": "No shop is set",
    "postgresql://u:hunter2@127.0.0.1:1/shop": "does not answer",
    "select 1": "has no tables",
    "create table weather (day date, rain numeric)": "looks like a table of a shop",
}


@pytest.mark.parametrize("statements", REFUSED)
def test_what_cannot_be_looked_at_is_one_sentence(
    statements: str, shopmill: Run, folder: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made(statements) if " " in statements else statements)
    refused(shopmill, folder, REFUSED[statements])


def refused(shopmill: Run, folder: Path, words: str) -> None:
    code, out, err = shopmill("init")
    assert (code, out, len(err.strip().splitlines())) == (1, "", 1)
    assert words in err
    assert "hunter2" not in err
    assert left(folder) == []


def test_a_role_without_rights(
    shopmill: Run, folder: Path, made: Made, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = made("create table orders (order_id text)")
    database = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    postgres.ensure_role("stranger")
    with psycopg.connect(postgres.admin_dsn(database)) as admin:
        admin.execute(f"grant connect on database {database} to stranger".encode())
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", postgres.dsn(database, "stranger"))
    refused(shopmill, folder, "The role stranger may read none of the 1 tables")


def test_a_folder_that_cannot_be_written_to(shopmill: Run, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made(TABLES["northwind"]))
    monkeypatch.setenv("SHOPMILL_CONFIG", "/proc/shopmill.toml")
    code, out, err = shopmill("init")
    assert (code, out, "cannot be" in err) == (1, "", True)
