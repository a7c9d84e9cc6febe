"""verify finds every difference, repair makes again what it can, rebuild gives the same bytes, unpublish withdraws."""

import json
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import LENIENT, fill_shop
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import shopmill
from copies import Copies
from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.errors import InvalidInputError, RegistryError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.run.staging import staged_runs
from shopmill.settings import Settings
from shopmill.trust.rebuild import rebuild
from shopmill.trust.verify import Verification
from shopmill.versions import layout
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

DATASET, DAYS = "timeseries", ("2020-09-21", "2020-09-22", "2020-09-23")
SALES = [
    {"t_dat": f"2020-09-{day:02}", "customer_id": f"c{day}", "article_id": "1", "price": 1} for day in range(1, 23)
]


@pytest.fixture(scope="module")
def copies(
    new_shop: Callable[[], str], database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Copies:
    settings = Settings(_env_file=None, source_dsn=new_shop(), registry_dsn=database())
    return Copies(
        settings, tmp_path_factory.mktemp("filled"), {"transactions": SALES, "articles": [{"article_id": "1"}]}
    )


@pytest.fixture
def shop(copies: Copies, tmp_path: Path) -> Settings:
    return copies.of(tmp_path / "store", *((DATASET, day) for day in DAYS))


def publish(settings: Settings, as_of: str, dataset: str = DATASET, **parameters: Any) -> Any:
    return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, {**LENIENT, **parameters}))


def command(settings: Settings, *arguments: str) -> Result:
    environment = {"SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value()}
    return CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, *arguments])


def found(settings: Settings, *options: str) -> list[dict[str, str]]:
    result = command(settings, "verify", DATASET, "--json", *options)
    documents: list[dict[str, str]] = json.loads(result.stdout)
    assert result.exit_code == int(bool(documents))
    return documents


def versions_of(settings: Settings) -> Versions:
    return Versions(Store(settings.store), DATASET, settings.zone)


def test_nothing_differs_in_a_whole_store_and_an_empty_one(shop: Settings, tmp_path: Path) -> None:
    assert found(shop, "--all", "--raw") == []
    assert command(shop, "verify").stdout == "Nothing differs.\n"
    assert command(shop, "repair").stdout == "Nothing to repair.\n"
    empty = shop.model_copy(update={"store": str(tmp_path / "empty")})
    assert found(empty, "--all") == []


def overwrite(path: Path, data: bytes) -> None:
    """As a bad disk would, without touching the other names of the file."""
    path.unlink()
    path.write_bytes(data)


def test_every_kind_of_damage_is_found_in_one_line_and_repaired(shop: Settings) -> None:
    store, versions = Store(shop.store), versions_of(shop)
    newest = versions.need(None)
    keys = versions.keys_of(newest, "article_daily")
    damaged = Path(store.uri(keys[0]))
    overwrite(damaged, damaged.read_bytes()[:-4] + b"XXXX")
    overwrite(Path(store.uri(versions.pointer_key(DAYS[0]))), b"")
    Path(store.uri(f"{DATASET}/current.json")).unlink()
    Path(store.uri(f"index/{DATASET}/2020-09.json")).write_bytes(b"")
    assert {(Path(f["where"]).name, f["fault"]) for f in found(shop)} >= {
        (damaged.name, "has other bytes than were written"),
        ("current.json", "is damaged"),
        ("current.json", "is missing"),
    }
    shown = command(shop, "verify", DATASET)
    assert shown.exit_code == 1
    assert all(line.endswith(".") for line in shown.stdout.splitlines())
    repaired = command(shop, "repair", DATASET)
    assert repaired.exit_code == 0, repaired.stdout
    assert found(shop, "--all", "--raw") == []
    assert shopmill.load(DATASET, store=shop.store, verify=True).version == newest.version


def test_what_cannot_be_repaired_names_the_command_that_can(shop: Settings) -> None:
    store, versions = Store(shop.store), versions_of(shop)
    newest = versions.need(None)
    lost = Path(store.uri(versions.keys_of(newest, "article_daily")[-1]))  # no other version has these bytes
    lost.unlink()
    again = command(shop, "repair", DATASET)
    assert again.exit_code == 1
    assert f"{lost} is missing" in again.stdout
    assert f"shopmill run {DATASET} --as-of {DAYS[2]}" in again.stdout
    publish(shop, DAYS[2])
    assert found(shop, "--all") == []


def test_raw_files_and_strangers_are_found_when_asked_for(shop: Settings) -> None:
    store, versions = Store(shop.store), versions_of(shop)
    raw = next(key for key in store.keys("raw/transactions") if key.endswith(".parquet"))
    overwrite(Path(store.uri(raw)), b"x" * Path(store.uri(raw)).stat().st_size)
    assert found(shop, "--all") == []
    assert {f["where"] for f in found(shop, "--all", "--raw")} == {store.uri(raw)}
    store.write(f"{versions.folder(versions.need(None))}/stranger.parquet", b"")
    assert [f["fault"] for f in found(shop)] == ["is in no manifest"]


def test_one_bad_manifest_is_one_line(shop: Settings) -> None:
    versions = versions_of(shop)
    old = versions.need(versions.as_ofs()[0])
    overwrite(Path(versions.store.uri(f"{versions.folder(old)}/manifest.json")), b"")
    assert [f["as_of"] for f in found(shop, "--all") if "no manifest" in f["fault"]] == [DAYS[0]]
    listed = command(shop, "versions", DATASET, "--json")
    assert [row["as_of"] for row in json.loads(listed.stdout)][-2:] == list(DAYS[1:])
    assert command(shop, "gc").exit_code == 0


def test_the_version_that_was_asked_for_is_the_one_that_is_named(shop: Settings) -> None:
    versions = versions_of(shop)
    asked = versions.need(AsOf.parse(DAYS[1], shop.zone))
    overwrite(versions.store._place(layout.manifest_in(versions.folder(asked))), b"")
    [finding] = found(shop, "--as-of", DAYS[1])
    assert finding["where"] == f"{DATASET} as of {DAYS[1]}, version {asked.version}"
    assert (finding["as_of"], finding["fault"]) == (DAYS[1], "has no manifest that can be read")
    assert found(shop, "--as-of", DAYS[0]) == []


def test_statistics_of_older_code_that_have_values_of_people_are_found_and_written_again(shop: Settings) -> None:
    assert found(shop, "--all") == []
    versions = versions_of(shop)
    key = f"{versions.folder(versions.need(AsOf.parse(DAYS[0], shop.zone)))}/{layout.STATISTICS}"
    document = versions.store.read_json(key)
    columns = document["tables"]["rejects"]["columns"]
    columns.append({**columns[0], "name": "customer_id", "top": [{"label": "anna-7", "rows": 9}], "personal": False})
    versions.store.write(key, to_json(document))
    faults = [(one["where"], one["fault"]) for one in found(shop, "--all")]
    assert faults == [(versions.store.uri(key), "has values of people")]
    assert "has no values of people any more" in command(shop, "repair", DATASET).stdout
    assert b"anna-7" not in versions.store.read(key)
    assert found(shop, "--all") == []


@pytest.mark.parametrize("where", ["in a form of before", "of the newest day"])
def test_values_of_people_go_from_statistics_of_any_form(shop: Settings, where: str) -> None:
    versions = versions_of(shop)
    key = f"{versions.folder(versions.need(AsOf.parse(DAYS[0], shop.zone)))}/{layout.STATISTICS}"
    document = versions.store.read_json(key)
    theirs = {"name": "customer_id", "top": [{"label": "anna-7", "rows": 9}], "personal": False}
    if where == "of the newest day":
        table = document["tables"]["article_daily"]["newest"]
    else:
        document["form"], table = 1, document["tables"]["rejects"]
    table["columns"] = [{**document["tables"]["rejects"]["columns"][0], **theirs}]
    versions.store.write(key, to_json(document))
    assert [one["fault"] for one in found(shop, "--all")] == ["has values of people"]
    assert "has no values of people any more" in command(shop, "repair", DATASET).stdout
    assert not versions.store.exists(key) or b"anna-7" not in versions.store.read(key)
    assert found(shop, "--all") == []


@pytest.mark.parametrize("dataset", [DATASET, "user_item_interactions", "articles_content"])
def test_a_version_is_rebuilt_from_what_was_recorded(shop: Settings, dataset: str) -> None:
    for day in DAYS:
        publish(shop, day, dataset)
    version = shopmill.load(dataset, store=shop.store).version
    before = Store(shop.store).keys("")
    again = rebuild(datasets.load(dataset), version[:8], shop)
    assert again.is_same, again.sentence
    assert again.changed == ()
    assert Store(shop.store).keys("") == before
    assert command(shop, "rebuild", dataset, version).exit_code == 0


def test_what_a_version_says_of_what_came_late_is_rebuilt(settings: Settings, shop_dsn: str) -> None:
    """A version that continued says which events were new to it; one that is computed whole does not."""
    sent = [
        {
            "event_id": f"e{minute}",
            "visitor_id": "v",
            "event_type": "view",
            "event_datetime": f"2020-09-20T10:{minute}Z",
        }
        for minute in (10, 20, 15)
    ]
    for day, known in ((DAYS[0], sent[:2]), (DAYS[1], sent)):
        fill_shop(shop_dsn, {"events": known, "articles": [{"article_id": "1"}]})
        publish(settings, day, "events_and_funnels")
    made = shopmill.load("events_and_funnels", store=settings.store)
    assert [row["n_late_events"] for row in made.to_arrow(table="session_history").to_pylist()] == [1]
    again = rebuild(datasets.load("events_and_funnels"), made.version, settings)
    assert again.is_same, again.sentence


def test_a_rebuild_says_why_it_cannot_or_what_differs(shop: Settings) -> None:
    versions = versions_of(shop)
    newest = versions.need(None)
    with pytest.raises(InvalidInputError, match="no version 'abc'"):
        rebuild(datasets.load(DATASET), "abc", shop)
    snapshot = newest.beside["snapshots"]["transactions"]["key"]
    kept = versions.store.read(snapshot)
    versions.store.delete_keys([snapshot])
    with pytest.raises(
        InvalidInputError, match="rows of transactions that it was read from are not in the store any more"
    ):
        rebuild(datasets.load(DATASET), newest.version, shop)
    versions.store.write(snapshot, kept)
    assert rebuild(datasets.load(DATASET), newest.version, shop).is_same
    assert versions.store.keys("staging") == []


def test_a_version_is_withdrawn_with_a_reason(shop: Settings) -> None:
    newest = versions_of(shop).need(None)
    assert command(shop, "unpublish", DATASET, DAYS[2]).exit_code != 0
    done = command(shop, "unpublish", DATASET, DAYS[2], "--reason", "prices were in cents")
    assert (done.exit_code, f"current version is {versions_of(shop).need(None).version}" in done.stdout) == (0, True)
    assert shopmill.load(DATASET, store=shop.store).as_of == DAYS[1]
    with pytest.raises(InvalidInputError, match=r"as of 2020-09-23 was withdrawn: prices were in cents"):
        shopmill.load(DATASET, DAYS[2], shop.store)
    [row] = [r for r in json.loads(command(shop, "versions", DATASET, "--json").stdout) if r["as_of"] == DAYS[2]]
    assert (row["withdrawn"], row["current"]) == ("prices were in cents", False)
    with pytest.raises(InvalidInputError, match=r"was withdrawn: prices were in cents.*--undo"):
        publish(shop, DAYS[2])
    assert found(shop, "--all") == []
    planned = command(shop, "plan", DATASET, "--as-of", DAYS[2]).stdout
    assert "its version was withdrawn (prices were in cents), and one that comes out the same is refused" in planned
    rejects = json.loads(command(shop, "rejects", DATASET, "--version", newest.version, "--json").stdout)
    assert (rejects["as_of"], rejects["version"]) == (DAYS[2], newest.version)
    assert publish(shop, "2020-09-24").status == "published"
    assert command(shop, "unpublish", DATASET, DAYS[2], "--undo").exit_code == 0
    assert shopmill.load(DATASET, DAYS[2], shop.store).version == newest.version
    assert shopmill.load(DATASET, store=shop.store).as_of == "2020-09-24"


def test_what_is_withdrawn_goes_with_the_garbage_and_the_last_one_can_go(shop: Settings) -> None:
    from datetime import UTC, datetime, timedelta

    for day in DAYS:
        assert command(shop, "unpublish", DATASET, day, "--reason", "wrong").exit_code == 0
    with pytest.raises(InvalidInputError, match="no version at all"):
        shopmill.load(DATASET, store=shop.store)
    store = Store(shop.store)
    later = datetime.now(UTC) + timedelta(days=9)
    collect(GarbageCollection(store, shop.zone, (DATASET,), staged_runs, Retention(), later), Locks(store))
    assert versions_of(shop).all() == []
    assert publish(shop, DAYS[2]).status == "published"


@pytest.mark.parametrize("registry", ["empty", "older", "newer", "away"])
def test_files_are_verified_whatever_the_registry_is(
    shop: Settings, database: Callable[[], str], registry: str
) -> None:
    dsn = "postgresql://nobody@127.0.0.1:1/none" if registry == "away" else database()
    if registry == "newer":
        Registry(dsn).migrate()
    with psycopg.connect(dsn) if registry in {"older", "newer"} else nullcontext() as connection:
        if connection and registry == "older":
            connection.execute("create schema shopmill")
            connection.execute("create table shopmill.etl_runs (run_id text primary key, dataset text)")
        elif connection:
            connection.execute("alter table shopmill.etl_runs add column of_the_future int not null default 1")
            connection.execute("insert into shopmill.migrations (name) values ('9999_future.sql')")
    flip_unseen(
        versions_of(shop).store._place(versions_of(shop).keys_of(versions_of(shop).need(None), "article_daily")[-1])
    )
    there = shop.model_copy(update={"registry_dsn": SecretStr(dsn)})
    faults = [one["fault"] for one in found(there)]
    assert faults[0] == "has other bytes than were written"
    assert ("may have" if registry == "away" else "has") in faults[1]
    assert "no row in etl_runs" in faults[1]
    more = [one["fault"] for one in found(there, "--raw")]
    assert more[:2] == faults
    assert [fault[:39] for fault in more[2:]] == ["could lack people who were erased: The "] * (registry == "away")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "nothing"), "nothing"),
        (("verify", "--all", "--as-of", "2020-01-01"), "exclude each other"),
        (("verify", DATASET, "--as-of", "2020-01-01"), "no version as of 2020-01-01"),
        (("unpublish", DATASET, "2020-01-01", "--reason", "x"), "no version as of 2020-01-01"),
        (("unpublish", DATASET, "2020-09-23"), "--reason"),
        (("unpublish", DATASET, "2020-09-23", "--undo"), "No version of timeseries as of 2020-09-23 was withdrawn"),
        (("rebuild", DATASET, "0000"), "no version '0000'"),
    ],
)
def test_bad_input_is_one_sentence(shop: Settings, arguments: tuple[str, ...], said: str) -> None:
    result = command(shop, *arguments)
    assert isinstance(result.exception, InvalidInputError)
    assert said in str(result.exception)


def test_a_repair_reads_only_what_looks_other_than_when_it_was_found_whole(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(shop, "--all") == []
    versions, read = versions_of(shop), list[str]()

    def hashed(store: Store, key: str) -> str:
        read.append(key)
        return whole(store, key)

    whole = Store.sha256
    monkeypatch.setattr(Store, "sha256", hashed)
    assert (command(shop, "repair", DATASET).exit_code, read) == (0, [])
    flipped = versions.keys_of(versions.need(None), "article_daily")[-1]
    flip_unseen(Path(versions.store.uri(flipped)))
    assert command(shop, "repair", DATASET).stdout == "Nothing to repair.\n"
    assert [f["where"] for f in found(shop)] == [versions.store.uri(flipped)]
    again = command(shop, "repair", DATASET)
    assert versions.store.uri(flipped) in again.stdout, "what verify found is known to repair"
    versions.store.delete_keys([f"index/{DATASET}/looked"])
    read.clear()
    command(shop, "repair", DATASET)
    assert read


def flip_unseen(path: Path) -> None:
    """As a disk does: other bytes in a file that looks the same."""
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_index_that_does_not_answer_is_one_line_among_the_others(tmp_path: Path) -> None:
    """As `verify --all` has it while the registry's server is down: what the files have is still said."""

    def away() -> str:
        raise RegistryError("The vector index does not answer: Connection refused.")

    content = {"tables": {}, "inputs": {}, "main_table": "bert", "rejected": {}}
    manifest = Manifest("articles_embeddings", "2020-01-01", content)
    verification = Verification(
        Store(str(tmp_path)), datasets.load("articles_embeddings"), Settings(_env_file=None).zone, served=away
    )
    [finding] = verification._served(manifest)
    assert finding.where == "The vector index"
    assert finding.fault == "may serve another version: The vector index does not answer: Connection refused"
