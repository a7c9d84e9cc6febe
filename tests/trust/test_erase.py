"""A person who is erased is nowhere any more, does not come back, and everything else is as it was."""

import errno
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import shopmill
from faulty import Erasing, Fault, begin
from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.embeddings.neighbours import INDEX
from shopmill.errors import ConflictError, DamagedError, InvalidInputError, StoreError
from shopmill.registry import Registry
from shopmill.registry.erasures import Erasures
from shopmill.run import steps
from shopmill.run.erasures import nobody_left
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.personal_data import Policy
from shopmill.source.tombstones import KEY as KEY_OF_TOMBSTONES
from shopmill.text.cache import text_hash
from shopmill.text.index import current_index
from shopmill.trust.erasure.erase import Erasure
from shopmill.trust.erasure.journal import PLAN, Plan
from shopmill.trust.erasure.person import Person
from shopmill.trust.rebuild import rebuild
from shopmill.versions.disk import Disk
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest
from shopmill.versions.standards import NAMES as STANDARDS
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

ANNA, MAIL = "customer-anna-7", "anna@example.org"
TEXT = "The wool coat that I wear to the lighthouse every morning is splendid"
THEIRS = (
    ANNA,
    MAIL,
    TEXT,
    "order-anna-1",
    "device-anna",
    "tracked-anna",
    "review-anna-1",
    "Lighthouse Lane",
    TEXT.lower(),
)
KEY = SecretStr("only the shop knows")
DAYS = ("2020-09-22", "2020-09-23")
ORDERED = (
    "user_item_interactions",
    "customer_features",
    "events_and_funnels",
    "timeseries",
    "articles_content",
    "training_labels",
)
"""Datasets that need no sentence model."""


def shop_rows() -> dict[str, list[dict[str, Any]]]:
    others = [f"customer-{number}" for number in range(5)]
    people = [ANNA, *others]
    return {
        "customers": [{"customer_id": person, "age": 30 + place} for place, person in enumerate(people)],
        "articles": [
            {"article_id": str(n), "detail_desc": f"a thing {n}", "index_group_name": "All"} for n in range(3)
        ],
        "transactions": [
            {"t_dat": f"2020-09-{day:02}", "customer_id": person, "article_id": str(day % 3), "price": 10 + place}
            for day in range(1, 23)
            for place, person in enumerate(people)
            if day % (place + 1) == 0
        ]
        + [{"t_dat": "2020-09-20", "customer_id": ANNA, "article_id": "1", "price": -5}],
        "orders": [
            {"order_id": "order-anna-1", "customer_id": ANNA, "order_datetime": "2020-09-20T10:00:00Z"},
            {"order_id": "order-1", "customer_id": others[0], "order_datetime": "2020-09-20T11:00:00Z"},
        ],
        "order_items": [
            {"order_id": order, "article_id": "1", "quantity": 1, "price": 10} for order in ("order-anna-1", "order-1")
        ]
        + [{"order_id": "order-anna-1", "article_id": "1", "quantity": -3, "price": 10}],
        "events": [
            event("e1", None, "device-anna", "tracked-anna", "2020-09-20T09:00:00Z"),
            event("e2", ANNA, "device-anna", "tracked-anna", "2020-09-20T09:05:00Z"),
            event("e3", ANNA, "shared-device", None, "2020-09-20T10:05:00Z"),
            event("e4", others[0], "shared-device", None, "2020-09-20T12:05:00Z"),
            event("e5", others[1], "device-1", None, "2020-09-21T12:05:00Z"),
            event(None, ANNA, "device-anna", "tracked-anna", "2020-09-21T09:00:00Z"),
        ],
        "reviews": [
            review("review-anna-1", ANNA, TEXT, "2020-09-20T09:00:00Z"),
            review("review-anna-2", ANNA, "Good value, would buy it again", "2020-09-20T09:10:00Z"),
            review("review-2", others[0], "Good value, would buy it again", "2020-09-21T09:00:00Z"),
            review("review-3", others[1], "Good value, would buy it again", "2020-09-21T10:00:00Z"),
            review("review-4", others[2], "It fell apart in a week", "2020-09-21T11:00:00Z"),
        ],
    }


def event(event_id: str | None, customer: str | None, visitor: str, session: str | None, at: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "customer_id": customer,
        "visitor_id": visitor,
        "session_id": session,
        "article_id": "1",
        "event_type": "view",
        "event_datetime": at,
    }


def review(review_id: str, customer: str, text: str, at: str) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "customer_id": customer,
        "article_id": "1",
        "rating": 5,
        "review_text": text,
        "review_date": at,
    }


@pytest.fixture(scope="module")
def keyed(
    new_shop: Callable[[], str],
    database: Callable[[], str],
    encoder_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A shop whose customers have columns of the shop's own, and a registry of the test's own."""
    dsn, folder = new_shop(), tmp_path_factory.mktemp("erase")
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table customers add column email text, add column street text")
    fill_shop(dsn, shop_rows())
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update customers set email = %s, street = %s where customer_id = %s", (MAIL, "Lighthouse Lane", ANNA)
        )
    (folder / "mapping").mkdir()
    (folder / "mapping" / "customers.sql").write_text("select customer_id, age, email, street from customers")
    return Settings(
        _env_file=None,
        store=str(folder / "store"),
        source_dsn=dsn,
        registry_dsn=database(),
        encoder_folder=encoder_folder,
        mapping=f"{folder / 'mapping'}",
        pseudonym_key=KEY,
    )


@pytest.fixture(scope="module")
def filled(keyed: Settings) -> Settings:
    """The store that each test gets a copy of: to fill one takes a while."""
    for day in DAYS:
        for dataset in ORDERED:
            publish(keyed, day, dataset)
    return keyed


@pytest.fixture
def shop(filled: Settings, database: Callable[[], str], tmp_path: Path) -> Settings:
    """A copy of the filled store, hard links included, with a copy of its registry."""
    store = tmp_path / "store"
    subprocess.run(["cp", "-a", filled.store, str(store)], check=True)
    dsn = database()
    Registry(dsn).migrate()
    with psycopg.connect(filled.registry_dsn.get_secret_value()) as old, psycopg.connect(dsn) as new:
        names = [
            row[0]
            for row in old.execute(
                "select column_name from information_schema.columns "
                "where table_schema = 'shopmill' and table_name = 'etl_runs' order by ordinal_position"
            )
        ]
        columns = ", ".join(names)
        with (
            old.cursor().copy(f"copy (select {columns} from shopmill.etl_runs) to stdout".encode()) as rows,
            new.cursor().copy(f"copy shopmill.etl_runs ({columns}) from stdin".encode()) as into,
        ):
            for data in rows:
                into.write(data)
        new.execute("update shopmill.etl_runs set store = %s", (str(store),))
    return filled.model_copy(update={"store": str(store), "registry_dsn": SecretStr(dsn)})


def publish(settings: Settings, as_of: str, dataset: str) -> Any:
    known = {parameter.name for parameter in datasets.load(dataset).all_parameters}
    lenient = {name: value for name, value in LENIENT.items() if name in known}
    return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, lenient))


def command(settings: Settings, *arguments: str) -> Result:
    environment = {
        "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
        "SHOPMILL_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
    }
    return CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, *arguments])


def differences(settings: Settings) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(command(settings, "verify", "--all", "--raw", "--json").stdout)
    return found


def everything(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Where, and the text of, all that is in the store and the registry; Parquet decompressed."""
    store = Store(settings.store)
    for key in store.keys(""):
        data = store.read(key)
        yield key, data.decode("utf-8", "replace")
        if key.endswith(".parquet"):
            [path] = store.fetch([key], folder)
            yield key, repr(pq.read_table(path, partitioning=None).to_pylist())
    if store.root:  # what is being written, and what was thrown away
        for path in store.root.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes().decode("utf-8", "replace")
    with psycopg.connect(settings.registry_dsn.get_secret_value()) as connection:
        names = "select tablename from pg_tables where schemaname = 'shopmill'"
        for (table,) in connection.execute(names).fetchall():
            for row in connection.execute(f"select * from shopmill.{table}".encode()).fetchall():
                yield f"registry {table}", repr(row)


def traces(settings: Settings, folder: Path, of: tuple[str, ...] = THEIRS) -> list[tuple[str, str]]:
    return [(value, where) for where, text in everything(settings, folder) for value in of if value in text]


def test_the_person_is_nowhere_and_the_store_is_whole(shop: Settings, tmp_path: Path) -> None:
    assert {value for value, _ in traces(shop, tmp_path / "before")} >= {ANNA, MAIL, "order-anna-1", "device-anna"}
    before = {dataset: shopmill.load(dataset, store=shop.store).version for dataset in ORDERED}
    receipt = Erasure(shop).run(ANNA)
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert receipt.raw.keys() == {"customers", "transactions", "orders", "order_items", "events", "reviews"}
    assert ANNA not in json.dumps(receipt.document())
    after = {dataset: shopmill.load(dataset, store=shop.store).version for dataset in ORDERED}
    assert {name for name in ORDERED if before[name] == after[name]} == {"articles_content"}
    assert len(receipt.rewritten) == len(DAYS) * (len(ORDERED) - 1)


@pytest.mark.parametrize("options", [(), ("--json",), ("--html", "page.html")], ids=str)
def test_before_an_erasure_nobody_is_named_by_who_looks_at_versions(
    shop: Settings, options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for dataset in ORDERED:
        said = command(shop, "show", dataset, *options).stdout
        page = tmp_path / "page.html"
        shown = said + (page.read_text() if page.exists() else "")
        assert [value for value in THEIRS if value in shown] == []
    kept = [path.read_text() for path in Path(shop.store).rglob("statistics.json")]
    assert kept
    assert [value for text in kept for value in THEIRS if value in text] == []


def test_what_is_not_theirs_stays(shop: Settings) -> None:
    def rows(dataset: str, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = shopmill.load(dataset, store=shop.store).to_arrow(table=table).to_pylist()
        return found

    tables = [
        ("user_item_interactions", "interactions"),
        ("customer_features", "features"),
        ("timeseries", "article_daily"),
    ]
    before = {table: rows(*table) for table in tables}
    numbers = {row["customer_index"]: row["customer_id"] for row in rows("user_item_interactions", "customer_index")}
    Erasure(shop).run(ANNA)
    for table in tables:
        assert rows(*table) == [row for row in before[table] if row.get("customer_id") != ANNA]
    after = {row["customer_index"]: row["customer_id"] for row in rows("user_item_interactions", "customer_index")}
    hers = {number: who for number, who in after.items() if numbers[number] == ANNA}
    assert after == numbers | hers
    [(number, name)] = hers.items()
    assert re.fullmatch(rf"erased-{number}-[0-9a-f]{{8}}", name)
    users = {row["user_id"] for row in rows("events_and_funnels", "sessions")}
    assert users == {
        "customer:customer-0",
        "customer:customer-1",
    }  # the visit of a shared device before another's login


def test_a_file_that_versions_share_is_written_once_and_shared_again(shop: Settings) -> None:
    root = Store(shop.store).root
    assert root

    def shared() -> dict[int, set[str]]:
        """The names, without the version, of files of versions that have several."""
        found: dict[int, set[str]] = {}
        for path in root.glob("*/as_of=*/version=*/*/*.parquet"):
            if path.stat().st_nlink > 1:
                found.setdefault(path.stat().st_ino, set()).add(
                    re.sub("version=[^/]+", "", str(path.relative_to(root)))
                )
        return found

    before = shared()
    theirs = [node for node, names in before.items() if ANNA in repr(rows_of(root, names))]
    assert theirs
    Erasure(shop).run(ANNA)
    after = shared()
    assert all(any(names <= others for others in after.values()) for names in before.values())
    assert not any(ANNA in repr(rows_of(root, names)) for names in after.values())


def rows_of(root: Path, names: set[str]) -> list[Any]:
    [path] = root.glob(next(iter(names)).replace("//", "/version=*/"))
    found: list[Any] = pq.read_table(path, partitioning=None).to_pylist()
    return found


def manifest(settings: Settings, dataset: str, as_of: str | None = None) -> Manifest:
    versions = Versions(Store(settings.store), dataset, settings.zone)
    return versions.need(AsOf.parse(as_of, settings.zone) if as_of else None)


def test_every_later_run_works_and_does_not_bring_them_back(shop: Settings, tmp_path: Path) -> None:
    Erasure(shop).run(ANNA)
    for dataset in ORDERED:  # the shop has the person still
        assert publish(shop, DAYS[-1], dataset).status == "unchanged"
        assert publish(shop, "2020-09-24", dataset).status == "published"
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert rebuild(datasets.load("timeseries"), manifest(shop, "timeseries").version, shop).is_same


def test_a_customer_whose_id_looks_like_that_of_an_erased_one_is_another_one(shop: Settings) -> None:
    def numbers() -> dict[str, int]:
        rows = shopmill.load("user_item_interactions", store=shop.store).to_arrow(table="customer_index").to_pylist()
        return {row["customer_id"]: row["customer_index"] for row in rows}

    number = numbers()[ANNA]
    Erasure(shop).run(ANNA)
    before = numbers()
    like_hers = f"erased-{number}"
    with psycopg.connect(shop.source_dsn.get_secret_value(), autocommit=True) as connection:
        connection.execute("insert into customers (customer_id) values (%s)", (like_hers,))
        connection.execute(
            "insert into transactions (t_dat, customer_id, article_id, price) values ('2020-09-23', %s, '1', 10)",
            (like_hers,),
        )
        try:
            publish(shop, "2020-09-24", "user_item_interactions")
        finally:  # the tests share the shop
            connection.execute("delete from transactions where customer_id = %s", (like_hers,))
            connection.execute("delete from customers where customer_id = %s", (like_hers,))
    assert numbers() == before | {like_hers: len(before)}


def test_the_shop_read_again_gives_the_same_raw_files(shop: Settings) -> None:
    Erasure(shop).run(ANNA)
    store = Store(shop.store)
    before = {key for key in store.keys("raw") if key.endswith(".parquet")}
    steps.run_all(Run.create(datasets.load("customer_features"), DAYS[-1], shop, LENIENT, refresh=True))
    assert {key for key in store.keys("raw") if key.endswith(".parquet")} == before


def test_killed_at_any_point_it_ends_when_it_is_run_again(shop: Settings, tmp_path: Path) -> None:
    phases: set[bool] = set()
    for number in itertools.count(0, 13):
        work = begin(shop, Erasing(ANNA), tmp_path / "work", Fault("kill", "", number))
        assert work.end() == "killed"
        phases.add(Store(shop.store).exists(PLAN))
        if work.changes <= number:  # killed when it had made its last change
            break
    assert phases == {True, False}  # killed both before the plan was written and after
    with pytest.raises(InvalidInputError, match="nothing of theirs is left"):
        Erasure(shop).run(ANNA)
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert Store(shop.store).keys("erasures/work") == []


def test_a_plan_of_older_code_and_a_manifest_that_others_wrote_are_carried_out(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older code put the descriptions beside a version later, and read in its manifest what the registry is to say."""
    store = Store(shop.store)
    [key, *_] = (key for key in store.keys("timeseries") if key.endswith("manifest.json"))
    store.write(key, json.dumps(store.read_json(key)).encode())
    with monkeypatch.context() as dying:
        dying.setattr(Erasure, "_carry_out", die)
        with pytest.raises(RuntimeError):
            Erasure(shop).run(ANNA)
    document = store.read_json(PLAN)
    versions = [{name: one[name] for name in one if name != "inputs"} for one in document["versions"]]
    store.write(PLAN, to_json({**document, "versions": versions}))
    [new] = (one["new"] for one in versions if (one["dataset"], one["as_of"]) == ("timeseries", DAYS[-1]))
    folder = f"timeseries/as_of={DAYS[-1]}/version={new}"
    store.delete_keys([f"{folder}/{name}" for name in STANDARDS])
    assert Erasure(shop).run(ANNA).rewritten
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert {f"{folder}/{name}" for name in STANDARDS} <= {*store.keys(folder)}


def die(_erasure: Erasure, _plan: Plan) -> None:
    raise RuntimeError


def test_a_run_that_began_before_does_not_publish(shop: Settings) -> None:
    run = Run.create(datasets.load("timeseries"), "2020-09-24", shop, LENIENT)
    steps.extract(run)
    run.staging.write_erasures("somebody else")
    with pytest.raises(ConflictError, match="A person was erased since the run of timeseries began"):
        nobody_left(run)


def test_an_erased_version_cannot_be_rebuilt_and_says_why(shop: Settings) -> None:
    before = manifest(shop, "timeseries").version
    Erasure(shop).run(ANNA)
    after = manifest(shop, "timeseries")
    assert after.erased_from == (before,)
    for version in (before, after.version):
        with pytest.raises(InvalidInputError, match="cannot be rebuilt: a person was erased from it"):
            rebuild(datasets.load("timeseries"), version, shop)


def test_a_dry_run_changes_nothing(shop: Settings, tmp_path: Path) -> None:
    before = {key: Store(shop.store).read(key) for key in Store(shop.store).keys("")}
    shown = command(shop, "erase", "--customer", ANNA, "--dry-run", "--json")
    told = json.loads(shown.stdout)
    assert {key: Store(shop.store).read(key) for key in Store(shop.store).keys("")} == before
    done = json.loads(command(shop, "erase", "--customer", ANNA, "--json").stdout)
    assert [told[name] for name in ("person", "raw", "versions")] == [
        done[name] for name in ("person", "raw", "versions")
    ]


def test_whom_it_cannot_erase_it_says_in_one_sentence(shop: Settings) -> None:
    before = {key: Store(shop.store).read(key) for key in Store(shop.store).keys("") if not key.startswith("locks/")}
    said = "has no customer 'nobody'"
    with pytest.raises(InvalidInputError, match=said):
        Erasure(shop).run("nobody")
    with pytest.raises(InvalidInputError, match="set SHOPMILL_PSEUDONYM_KEY"):
        Erasure(shop.model_copy(update={"pseudonym_key": SecretStr("")})).run(ANNA)
    with pytest.raises(InvalidInputError, match="Name the customer"):
        Erasure(shop).run(" ")
    with pytest.raises(InvalidInputError, match="No registry is set"):
        Erasure(shop.model_copy(update={"registry_dsn": SecretStr("")})).run(ANNA)
    assert {
        key: Store(shop.store).read(key) for key in Store(shop.store).keys("") if not key.startswith("locks/")
    } == before
    Erasure(shop).run(ANNA)
    with pytest.raises(InvalidInputError, match=r"was erased from .* on 20.*nothing of theirs is left"):
        Erasure(shop).run(ANNA)
    with pytest.raises(InvalidInputError, match="with another SHOPMILL_PSEUDONYM_KEY"):
        publish(shop.model_copy(update={"pseudonym_key": SecretStr("lost")}), "2020-09-24", "timeseries")


def test_a_store_that_cannot_be_written_is_left_as_it_is(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Disk, path: Path, *_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    before = Store(shop.store).keys("")
    for name in ("write", "create", "swap", "adopt", "link"):
        monkeypatch.setattr(Disk, name, refused)
    with pytest.raises(StoreError, match="Read-only file system"):
        Erasure(shop).run(ANNA)
    assert Store(shop.store).keys("") == before


def test_a_damaged_file_could_name_anybody(shop: Settings) -> None:
    store = Store(shop.store)
    raw = next(key for key in store.keys("raw/transactions") if key.endswith(".parquet"))
    data = store.read(raw)
    store.write(raw, b"x")
    with pytest.raises(DamagedError, match="nobody can say whom it names"):
        Erasure(shop).run(ANNA)
    assert store.exists(raw)
    store.write(raw, data)
    Erasure(shop).run(ANNA)
    assert differences(shop) == []


def test_what_cannot_be_read_is_a_line_of_verify_and_not_the_end_of_it(shop: Settings) -> None:
    """The soak found it: a damaged file that no snapshot names any more, in a store from which somebody was erased."""
    Erasure(shop).run(ANNA)
    store, newest = Store(shop.store), manifest(shop, "timeseries")
    [raw, other] = [key for key in store.keys("raw/orders") + store.keys("raw/reviews") if key.endswith(".parquet")][:2]
    data = store.read(other)
    store.write(f"{raw.rpartition('/')[0]}/0000000000000000.parquet", b"x")
    store.write(other, data[:4] + b"\xff" * (len(data) // 2) + data[4 + len(data) // 2 :])
    of_version = f"{Versions(store, 'timeseries', shop.zone).folder(newest)}/manifest.json"
    store.write(of_version, b"")
    found = differences(shop)
    assert {
        store.uri(f"{raw.rpartition('/')[0]}/0000000000000000.parquet"),
        store.uri(other),
        store.uri(of_version),
    } <= {finding["where"] for finding in found if "an erased customer could be in it" in finding["fault"]}
    shown = command(shop, "verify", "--all", "--raw")
    assert (shown.exit_code, "gc --delete" in shown.stdout) == (1, True)


def test_messages_of_the_registry_are_masked(shop: Settings, tmp_path: Path) -> None:
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:
        connection.execute(
            "update shopmill.etl_runs set error = %s, checks = %s",
            (f"such as {ANNA} ({MAIL}), order-anna-1", json.dumps([{"examples": [f"{ANNA}, 1"], "detail": "3 of 40"}])),
        )
        connection.execute(
            "insert into shopmill.news (dataset, kind, news, since, times) values ('timeseries', 'failed', %s, now(), 1)",
            (f"such as {ANNA}",),
        )
        connection.execute(
            "insert into shopmill.failed_tasks (run_id, task, failure) values ('r', 't', %s)",
            (json.dumps({"error": ANNA}),),
        )
    receipt = Erasure(shop).run(ANNA)
    assert receipt.registry["news"] == receipt.registry["failed_tasks"] == 1
    assert traces(shop, tmp_path / "after") == []
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:
        [(error, checks)] = connection.execute("select error, checks from shopmill.etl_runs limit 1").fetchall()
    assert (error, checks) == ("such as ••• (•••), •••", [{"examples": ["•••, 1"], "detail": "3 of 40"}])


@pytest.mark.parametrize(
    "name", ["O'Brien", 'the "cat"', "back\\slash", "two words", "änna-名前", "100%", "a_b", "{x}"]
)
def test_a_name_is_masked_as_programs_write_it(name: str) -> None:
    person = Person({"customer": frozenset({name}), "order": frozenset({f"{name} 1"})})
    said = f"{name}, {name!r}, {json.dumps(name)}, {json.dumps(name, ensure_ascii=False)}, order {name} 1."
    assert name not in person.masked(said)
    assert repr(name)[1:-1] not in person.masked(said)
    assert person.masked(f"{name}s and others") == f"{name}s and others"


def test_a_name_that_is_a_word_or_a_number_changes_nothing_that_is_ours(shop: Settings) -> None:
    checks = [
        {"name": "at least 1", "severity": "error", "passed": False, "examples": ["1", "11"], "detail": "of error"}
    ]
    parameters = {"warn_drift": "0.1", "most": "1", "given": "error"}
    failure = {"task": "error", "error": "customer 1 of 1,000", "failed_checks": ["1"]}
    erasures = Erasures(Registry(shop.registry_dsn.get_secret_value()), shop.store)
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:
        connection.execute(
            "update shopmill.etl_runs set checks = %s, parameters = %s", (json.dumps(checks), json.dumps(parameters))
        )
        connection.execute(
            "insert into shopmill.failed_tasks (run_id, task, failure) values ('r', 'error', %s)",
            (json.dumps(failure),),
        )
    for name in ("1", "error"):
        erasures.masked(Person({"customer": frozenset({name})}).masked_document)
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:
        [row] = connection.execute("select checks, parameters from shopmill.etl_runs limit 1").fetchall()
        [(found,)] = connection.execute("select failure from shopmill.failed_tasks").fetchall()
    assert row[0] == [{**checks[0], "examples": ["•••", "11"], "detail": "of •••"}]
    assert row[1] == {"warn_drift": "0.1", "most": "1", "given": "•••"}
    assert found == {"task": "error", "error": "customer ••• of 1,000", "failed_checks": ["•••"]}


def test_a_restored_backup_is_known_however_the_store_is_named(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, store = tmp_path / "backup", Path(shop.store)
    subprocess.run(["cp", "-a", str(store), str(backup)], check=True)
    Erasure(shop).run(ANNA)
    shutil.rmtree(store)
    backup.rename(store)
    (tmp_path / "link").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    for name in ("store", "./store", f"{store}/.", f"{tmp_path}//store", str(tmp_path / "link")):
        with pytest.raises(InvalidInputError, match="is from before a person was erased"):
            publish(shop.model_copy(update={"store": name}), "2020-09-24", "timeseries")
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:  # as it was written once
        connection.execute("update shopmill.erasures set store = 'store/../store'")
    assert Erasures(Registry(shop.registry_dsn.get_secret_value()), str(store)).tombstones()


def test_tombstones_that_are_lost_are_missed_and_written_again(shop: Settings) -> None:
    Erasure(shop).run(ANNA)
    for text in (None, b"{", b"[]"):
        Store(shop.store).delete_keys([KEY_OF_TOMBSTONES])
        if text is None:
            assert [found["fault"] for found in differences(shop)] == ["lacks 1 of the people who were erased"]
        else:
            Store(shop.store).write(KEY_OF_TOMBSTONES, text)
        assert command(shop, "erase", "--restored").stdout == "Nobody who was erased is in the store.\n"
        assert differences(shop) == []
        assert publish(shop, "2020-09-24", "timeseries").status in {"published", "unchanged"}


def test_who_may_only_read_verifies_as_well(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    Erasure(shop).run(ANNA)
    for name in ("write", "write_all", "create", "swap", "adopt", "link"):
        monkeypatch.setattr(Disk, name, refused)
    monkeypatch.setattr(Store, "scratch", refused)
    assert differences(shop) == []


def test_without_the_key_verify_says_what_it_could_not_look_for(shop: Settings) -> None:
    Erasure(shop).run(ANNA)
    without = shop.model_copy(update={"pseudonym_key": SecretStr("")})
    faults = [found["fault"] for found in differences(without)]
    assert faults == ["does not say who was erased, so they could be back", "could have people who were erased"]
    Store(shop.store).write(KEY_OF_TOMBSTONES, b"{")
    faults = [found["fault"] for found in differences(shop)]
    assert faults == ["does not say who was erased, so they could be back"]


def test_two_erasures_at_once_are_one_after_another(shop: Settings) -> None:
    with Locks(Store(shop.store)).lock("erase"), pytest.raises(ConflictError, match="Another 'erase' is at work"):
        Erasure(shop).run(ANNA)
    assert Erasure(shop).run(ANNA).raw


def test_a_restored_backup_does_not_bring_them_back(shop: Settings, tmp_path: Path) -> None:
    backup, store = tmp_path / "backup", Path(shop.store)
    subprocess.run(["cp", "-a", str(store), str(backup)], check=True)
    Erasure(shop).run(ANNA)
    shutil.rmtree(store)
    backup.rename(store)
    with pytest.raises(
        InvalidInputError, match="is from before a person was erased: run `shopmill erase --restored` first"
    ):
        publish(shop, "2020-09-24", "timeseries")
    assert "has a customer who was erased" in [found["fault"] for found in differences(shop)]
    done = command(shop, "erase", "--restored")
    assert (done.exit_code, done.stdout.startswith("Removed of person")) == (0, True)
    assert traces(shop, tmp_path / "after") == []
    assert differences(shop) == []
    assert command(shop, "erase", "--restored").stdout == "Nobody who was erased is in the store.\n"
    assert publish(shop, "2020-09-24", "timeseries").status == "published"


@pytest.mark.parametrize("options", [(), ("--customer", ANNA, "--restored")])
def test_whom_to_erase_is_said_once(shop: Settings, options: tuple[str, ...]) -> None:
    result = command(shop, "erase", *options)
    assert isinstance(result.exception, InvalidInputError)
    assert "--customer" in str(result.exception)
    assert "--restored" in str(result.exception)


def test_on_s3_it_is_the_same(shop: Settings, s3_store: str, tmp_path: Path) -> None:
    local, remote = Store(shop.store), Store(s3_store)
    for key in local.keys(""):
        if not key.startswith(("locks/", "staging/")):
            remote.write(key, local.read(key))
    with psycopg.connect(shop.registry_dsn.get_secret_value()) as connection:
        connection.execute("update shopmill.etl_runs set store = %s", (s3_store,))
    there = shop.model_copy(update={"store": s3_store, "work_folder": tmp_path / "work"})
    shopmill.load("customer_features", store=s3_store).files()  # files of the version are cached on this machine
    for number in (40, 200):
        begin(there, Erasing(ANNA), tmp_path / "killed", Fault("kill", "", number)).end()
    with suppress(InvalidInputError):  # where the second try came to its end
        Erasure(there).run(ANNA)
    assert traces(there, tmp_path / "after") == []
    assert differences(there) == []
    cached = [path.read_bytes() for path in (tmp_path / "cache").rglob("*.parquet")]
    assert not any(ANNA.encode() in data for data in cached)
    assert remote.keys("erasures/work") == []
    assert publish(there, "2020-09-24", "timeseries").status == "published"


def test_texts_and_their_vectors_go_where_nobody_else_wrote_them(shop: Settings, tmp_path: Path) -> None:
    publish(shop, DAYS[-1], "reviews_nlp")

    def vectors() -> set[str]:
        store = Store(shop.store)
        keys = [key for key in store.keys("embeddings") if key.endswith(".parquet")]
        return {row["text_hash"] for path in store.fetch(keys, tmp_path) for row in pq.read_table(path).to_pylist()}

    shared, own = text_hash("Good value, would buy it again"), text_hash(TEXT)
    assert vectors() >= {shared, own}
    receipt = Erasure(shop).run(ANNA)
    assert (receipt.embeddings, shared in vectors(), own in vectors()) == (1, True, False)
    assert traces(shop, tmp_path / "after", (*THEIRS, own, "review-anna-2")) == []
    assert differences(shop) == []
    rows = shopmill.load("reviews_nlp", store=shop.store).to_arrow(table="reviews").to_pylist()
    assert {row["review_id"]: row["duplicate_of"] for row in rows} == {
        "review-2": None,  # of those that said the same it is the first that is left
        "review-3": "review-2",
        "review-4": None,
    }
    assert publish(shop, "2020-09-24", "reviews_nlp").status == "published"
    assert own not in vectors()


def test_while_a_dag_run_works_it_is_refused(shop: Settings) -> None:
    run = Run.create(datasets.load("timeseries"), DAYS[-1], shop, LENIENT, "dag.1", {"dag_run_id": "manual__1"})
    run.registry.begin(run.run_id, "timeseries", DAYS[-1], {}, run.orchestrator, shop.store)
    before = {key: Store(shop.store).read(key) for key in Store(shop.store).keys("") if not key.startswith("locks/")}
    with pytest.raises(ConflictError, match=rf"timeseries as of {DAYS[-1]} is being made: wait until its DAG run ends"):
        Erasure(shop).run(ANNA)
    after = {key: Store(shop.store).read(key) for key in Store(shop.store).keys("") if not key.startswith("locks/")}
    assert after == before
    run.registry.finish(run.run_id, status="failed")
    assert Erasure(shop).run(ANNA).raw["customers"] > 0


@pytest.fixture
def pseudonymous(keyed: Settings, database: Callable[[], str], tmp_path: Path) -> Settings:
    """A store whose raw files have keyed hashes instead of what is personal."""
    other = {"store": str(tmp_path / "hashed"), "registry_dsn": SecretStr(database()), "personal_data": "hash"}
    settings = keyed.model_copy(update=other)
    for dataset in ("user_item_interactions", "customer_features"):
        publish(settings, DAYS[0], dataset)
    return settings


def customers_of(settings: Settings) -> set[str]:
    found = shopmill.load("customer_features", store=settings.store).to_arrow(columns=["customer_id"])
    return set(found["customer_id"].to_pylist())


def test_where_ids_are_hashed_a_person_is_erased_and_does_not_come_back(
    pseudonymous: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the id that the shop has, which is nowhere in the store."""
    shop, hashed = pseudonymous, Policy.of(pseudonymous).stands_for("customer_id", ANNA)
    monkeypatch.setenv("SHOPMILL_PERSONAL_DATA", "hash")
    everybody, backup, store = customers_of(shop), tmp_path / "backup", Path(shop.store)
    assert hashed in everybody
    subprocess.run(["cp", "-a", str(store), str(backup)], check=True)
    receipt = Erasure(shop).run(ANNA)
    assert customers_of(shop) == everybody - {hashed}
    assert traces(shop, tmp_path / "after", (*THEIRS, hashed)) == []
    assert differences(shop) == []
    publish(shop, "2020-09-24", "customer_features")  # the shop has them still
    assert hashed not in customers_of(shop)
    shutil.rmtree(store)
    backup.rename(store)
    assert "has a customer who was erased" in [found["fault"] for found in differences(shop)]
    [again] = Erasure(shop).restored()
    assert again.person == receipt.person
    assert traces(shop, tmp_path / "again", (*THEIRS, hashed)) == []
    assert differences(shop) == []
    assert Erasure(shop).restored() == []


def test_an_index_follows_to_the_version_that_has_another_id(
    keyed: Settings, database: Callable[[], str], postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """The address of the person is in the text of an article, so that the catalogue and what is made of it are renamed."""
    dsn = database()
    with psycopg.connect(postgres.admin_dsn(str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))) as admin:
        admin.execute("create extension vector")
    shop = keyed.model_copy(update={"store": str(tmp_path / "indexed"), "registry_dsn": SecretStr(dsn)})
    source = shop.source_dsn.get_secret_value()
    with psycopg.connect(source) as connection:
        connection.execute("update articles set detail_desc = %s where article_id = '1'", (f"ask {MAIL} for its size",))
    try:
        for dataset in ("customer_features", "articles_content", "articles_embeddings"):
            publish(shop, DAYS[0], dataset)
        before = manifest(shop, "articles_embeddings").version
        Erasure(shop).run(ANNA)
    finally:
        with psycopg.connect(source) as connection:
            connection.execute("update articles set detail_desc = 'a thing 1' where article_id = '1'")
    after = manifest(shop, "articles_embeddings")
    assert (after.version != before, after.erased_from) == (True, (before,))
    with psycopg.connect(dsn) as connection:
        served = current_index(connection, INDEX)
    assert served is not None
    assert served.version == after.version
    assert traces(shop, tmp_path / "after", (ANNA, MAIL)) == []
    assert differences(shop) == []
