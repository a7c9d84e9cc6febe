"""Collecting garbage: whatever the history and the rule, what is kept is whole, and what is not kept is gone."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from golden import fill_shop
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.cli import app as cli
from shopmill.reading import load
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.run.staging import Staging, staged_runs
from shopmill.settings import Settings
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.index import VersionIndex
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

ZONE = ZoneInfo("UTC")
SHOP, MADE_OF_IT = "articles_content", "articles_embeddings"
LATER = datetime.now(UTC) + timedelta(days=30)


class NoLocks:
    """One process needs none; notes which were held."""

    def __init__(self) -> None:
        self.held: list[str] = []

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        self.held.append(name)
        yield


@dataclass(frozen=True)
class Publishing:
    """One thing that happened to a store: a version for a day, made of raw rows of some days, or of the previous version."""

    day: int
    content: int
    is_upstream: bool
    raw_days: tuple[int, ...]


publishings = st.lists(
    st.builds(
        Publishing,
        st.integers(0, 60),
        st.integers(0, 3),
        st.booleans(),
        st.lists(st.integers(0, 60), min_size=1, max_size=3, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=15,
)
rules = st.builds(Retention, st.integers(1, 4), st.integers(0, 3), st.integers(0, 3))


def put(store: Store, key: str, data: bytes) -> dict[str, Any]:
    store.write(key, data)
    return {"rows": 1, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def snapshot(store: Store, made: Publishing, number: int) -> str:
    files = []
    for day in made.raw_days:
        key = f"raw/articles/source=x/day={day}/{made.content % 2}.parquet"
        files.append({"day": str(day), "key": key, **put(store, key, f"{day} {made.content % 2}".encode())})
    document = {"table": "articles", "as_of": "", "read_as_of": "", "files": files}
    key = f"raw/articles/source=x/snapshots/20200101T{number:06d}Z/0000.json"
    store.write(key, to_json(document))
    return key


def publish(store: Store, made: Publishing, number: int) -> None:
    dataset = SHOP if made.is_upstream else MADE_OF_IT
    as_of = AsOf.parse(str(date(2020, 1, 1) + timedelta(days=made.day)), ZONE)
    upstream = Versions(store, SHOP, ZONE).current()
    staged = f"staged/{number}"
    file = {"path": "t/part.parquet", **put(store, staged, f"{dataset} {made.day} {made.content}".encode())}
    inputs = {} if made.is_upstream or not upstream else {SHOP: {"as_of": upstream.as_of, "version": upstream.version}}
    content = {"main_table": "t", "tables": {"t": {"files": [file]}}, "inputs": inputs, "rejected": {}}
    snapshots = {"articles": {"key": snapshot(store, made, number)}} if made.is_upstream else {}
    manifest = Manifest(dataset, as_of.label, content, {"snapshots": snapshots, "previous": None, "checks": []})
    Versions(store, dataset, ZONE).publish(manifest, {"t/part.parquet": staged})
    store.delete("staged")


def look_at(store: Store, rule: Retention, now: datetime = LATER) -> GarbageCollection:
    return GarbageCollection(store, ZONE, (SHOP, MADE_OF_IT), staged_runs, rule, now)


@contextmanager
def store_with(history: list[Publishing]) -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = Store(folder)
        for number, made in enumerate(history):
            publish(store, made, number)
        yield store


def manifests(store: Store) -> list[Manifest]:
    return [m for dataset in (SHOP, MADE_OF_IT) for m in Versions(store, dataset, ZONE).all()]


def whole(store: Store, manifest: Manifest) -> set[str]:
    """The keys that a version needs, each of them there and as it was."""
    versions = Versions(store, manifest.dataset, ZONE)
    folder = versions.folder(manifest)
    files = {f"{folder}/{file.path}": file.sha256 for file in manifest.all_files}
    keys = {f"{folder}/manifest.json"}
    for described in manifest.beside["snapshots"].values():
        keys.add(described["key"])
        files |= {file["key"]: file["sha256"] for file in store.read_json(described["key"])["files"]}
    for name, made in manifest.content["inputs"].items():
        keys |= whole(store, Versions(store, name, ZONE).exactly(made["as_of"], made["version"]))
    for key, sha256 in files.items():
        assert hashlib.sha256(store.read(key)).hexdigest() == sha256
    return keys | files.keys()


@settings(max_examples=60, deadline=None)
@given(publishings, rules)
def test_what_is_kept_is_whole_and_nothing_else_is_there(history: list[Publishing], rule: Retention) -> None:
    with store_with(history) as store:
        before = {dataset: Versions(store, dataset, ZONE) for dataset in (SHOP, MADE_OF_IT)}
        wanted = {
            (dataset, as_of, counted.version)
            for dataset, versions in before.items()
            for as_of in rule.kept(versions.as_ofs(), ZONE)
            if (counted := versions.at(as_of))
        }
        planned = [entry.key for entry in look_at(store, rule).garbage().entries]
        gone = collect(look_at(store, rule), NoLocks())
        assert sorted(planned) == sorted(entry.key for entry in gone.entries)

        needed = {key for manifest in manifests(store) for key in whole(store, manifest)}
        for dataset, as_of, version in wanted:
            counted = Versions(store, dataset, ZONE).at(as_of)
            assert counted is not None
            assert counted.version == version
        pointers = {key for key in store.keys("") if key.endswith("current.json")}
        assert {key for key in store.keys("") if not key.startswith("index/")} == needed | pointers
        for pointer in pointers:
            found = store.read_json(pointer)
            Versions(store, pointer.split("/")[0], ZONE).exactly(found["as_of"], found["version"])
        assert collect(look_at(store, rule), NoLocks()).entries == []


@settings(max_examples=20, deadline=None)
@given(publishings)
def test_what_is_new_stays(history: list[Publishing]) -> None:
    with store_with(history) as store:
        assert look_at(store, Retention(1, 0, 0), datetime.now(UTC)).garbage().entries == []


def history_of_days(count: int) -> list[Publishing]:
    return [Publishing(day, 0, True, (day,)) for day in range(count)]


def test_looking_changes_nothing_and_deleting_holds_the_locks() -> None:
    with store_with(history_of_days(3)) as store:
        keys = store.keys("")
        found = look_at(store, Retention(1, 0, 0)).garbage()
        assert store.keys("") == keys
        assert found.bytes == sum(entry.bytes for entry in found.entries) > 0
        locks = NoLocks()
        collect(look_at(store, Retention(1, 0, 0)), locks)
        assert locks.held == [f"publish {SHOP}", "raw articles"]
        assert Versions(store, SHOP, ZONE).as_ofs() == [AsOf.parse("2020-01-03", ZONE)], "no empty folder is left"


def test_what_a_living_run_has_pinned_stays() -> None:
    with store_with(history_of_days(3)) as store:
        first = Versions(store, SHOP, ZONE).all()[0]
        staging = Staging(store, SHOP, "a-run")
        staging.pin_previous(first.pin)
        file = RawFile("1", "raw/articles/source=x/day=1/0.parquet", 1, 1, "")
        staging.write_inputs("extract", {"articles": Snapshot("articles", "", "", (file,), "none")})
        look = look_at(store, Retention(1, 0, 0))
        # All was written just now: a run that lives is one that has written within the grace, so the rest is made old.
        living = set(store.keys("staging"))
        index = VersionIndex(store, SHOP, ZONE)
        index.put([replace(line, at="2020-01-01T00:00:00+00:00") for line in index.lines().values()])
        aged = Aged(store.url, living)
        collect(replace(look, store=aged, now=datetime.now(UTC)), NoLocks())
        assert store.exists("raw/articles/source=x/day=1/0.parquet")
        assert [m.as_of for m in manifests(store)] == ["2020-01-01", "2020-01-03"]
        collect(look, NoLocks())
        assert [m.as_of for m in manifests(store)] == ["2020-01-03"]
        assert store.keys("staging") == []


class Aged(Store):
    """A store in which everything is old but some keys."""

    def __init__(self, url: str, young: set[str]):
        super().__init__(url)
        self._young = young

    def entries(self, prefix: str) -> list[Any]:
        old = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
        return [e if e.key in self._young else e._replace(at=old) for e in super().entries(prefix)]


def test_a_version_that_was_never_finished_goes() -> None:
    with store_with(history_of_days(1)) as store:
        store.write(f"{SHOP}/as_of=2020-01-01/version=half/t/part.parquet", b"half")
        collect(look_at(store, Retention(1, 0, 0)), NoLocks())
        assert not store.exists(f"{SHOP}/as_of=2020-01-01/version=half/t/part.parquet")
        assert len(manifests(store)) == 1


def test_on_an_object_store(s3_store: str) -> None:
    store = Store(s3_store)
    for number, made in enumerate(history_of_days(3)):
        publish(store, made, number)
    collect(look_at(store, Retention(1, 0, 0)), NoLocks())
    [kept] = manifests(store)
    assert whole(store, kept) | {f"{SHOP}/current.json", f"{SHOP}/as_of=2020-01-03/current.json"} == {
        key for key in store.keys("") if not key.startswith("index/")
    }


def test_real_versions_load_and_continue_after_the_command(settings: Settings, shop_dsn: str) -> None:
    sales = [{"t_dat": f"2020-09-0{d}", "customer_id": f"c{d}", "article_id": "a", "price": 1} for d in range(1, 8)]
    fill_shop(shop_dsn, {"transactions": sales, "articles": [{"article_id": "a"}]})
    for day in range(3, 7):
        steps.run_all(Run.create(datasets.load("user_item_interactions"), f"2020-09-0{day}", settings))
    store = Store(settings.store)
    shown = _gc(settings, "--last", "2", "--weekly", "0", "--monthly", "0")
    assert shown == {"deleted": False, "bytes": 0, "keys": []}, "all of it is new"

    look = GarbageCollection(store, settings.zone, ("user_item_interactions",), staged_runs, Retention(2, 0, 0), LATER)
    gone = collect(look, Run.create(datasets.load("user_item_interactions"), "2020-09-07", settings).locks)
    assert any("as_of=2020-09-03" in entry.key for entry in gone.entries)
    assert load("user_item_interactions", "2020-09-06", settings.store).to_arrow().num_rows == 5
    published = steps.run_all(Run.create(datasets.load("user_item_interactions"), "2020-09-07", settings))
    assert (published.status, published.rows) == ("published", 6)


def test_it_waits_for_a_publish_that_is_going_on_and_sees_what_it_published() -> None:
    with store_with(history_of_days(3)) as store, ThreadPoolExecutor(1) as pool:
        with Locks(store).lock(f"publish {SHOP}"):
            collecting = pool.submit(collect, look_at(store, Retention(1, 0, 0)), Locks(store))
            with pytest.raises(TimeoutError):
                collecting.result(timeout=1)
            assert len(manifests(store)) == 3
            publish(store, Publishing(9, 1, True, (1,)), 9)
        collecting.result(timeout=60)
        assert [m.as_of for m in manifests(store)] == ["2020-01-03", "2020-01-10"], "what was newest at the look stays"
        for manifest in manifests(store):
            whole(store, manifest)


class Publishes(NoLocks):
    """Something that happens between the look and the lock."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        if not self.held:
            self._happens()
        with super().lock(name):
            yield


def test_what_a_run_has_pinned_since_the_look_stays() -> None:
    with store_with(history_of_days(4)) as store:
        first = Versions(store, SHOP, ZONE).all()[0]
        pin = to_json({"as_of": first.as_of, "version": first.version})
        key = f"staging/{SHOP}/a-run/previous.json"
        collect(
            look_at(Aged(store.url, {key}), Retention(1, 0, 0), datetime.now(UTC) + timedelta(hours=47)),
            Publishes(lambda: store.write(key, pin)),
        )
        assert Versions(store, SHOP, ZONE).exactly(first.as_of, first.version) == first


def test_what_is_published_again_since_the_look_stays() -> None:
    with store_with(history_of_days(4)) as store:
        history = history_of_days(4)
        store.delete_keys([k for k in store.keys(f"{SHOP}/as_of=2020-01-01") if k.endswith("manifest.json")])
        collect(look_at(store, Retention(1, 0, 0)), Publishes(lambda: publish(store, history[0], 9)))
        assert [m.as_of for m in manifests(store)] == ["2020-01-01", "2020-01-04"]
        whole(store, manifests(store)[0])


def test_what_the_newest_version_continued_from_stays(settings: Settings, shop_dsn: str) -> None:
    """A rerun of today continues from the same version as before, and first_seen is not that of today."""
    fill_shop(shop_dsn, {"articles": [{"article_id": "a"}], "transactions": []})
    dataset = datasets.load("articles_content")
    for day in (3, 4, 5):
        steps.run_all(Run.create(dataset, f"2020-09-0{day}", settings))
    before = load("articles_content", store=settings.store)
    store = Store(settings.store)
    collect(
        GarbageCollection(store, settings.zone, ("articles_content",), staged_runs, Retention(1, 0, 0), LATER),
        NoLocks(),
    )
    assert [m.as_of for m in Versions(store, "articles_content", settings.zone).all()] == ["2020-09-04", "2020-09-05"]
    summary = steps.run_all(Run.create(dataset, "2020-09-05", settings))
    assert (summary.status, summary.version) == ("unchanged", before.version)


def test_what_a_rerun_of_the_newest_would_continue_from_stays(settings: Settings, shop_dsn: str) -> None:
    """The version that the newest continued from was withdrawn since: first_seen is that of the one before it."""
    fill_shop(shop_dsn, {"articles": [{"article_id": "a"}], "transactions": []})
    dataset, store = datasets.load("articles_content"), Store(settings.store)
    for day in (3, 4, 5):
        steps.run_all(Run.create(dataset, f"2020-09-0{day}", settings))
    versions = Versions(store, "articles_content", settings.zone)
    versions.withdraw(AsOf.parse("2020-09-04", settings.zone), "a wrong price")
    collect(
        GarbageCollection(store, settings.zone, ("articles_content",), staged_runs, Retention(1, 0, 0), LATER),
        NoLocks(),
    )
    assert [m.as_of for m in versions.all()] == ["2020-09-03", "2020-09-04", "2020-09-05"]
    steps.run_all(Run.create(dataset, "2020-09-05", settings))
    rows = load("articles_content", store=settings.store).to_arrow(table="articles").to_pylist()
    assert [str(row["first_seen"])[:10] for row in rows] == ["2020-09-03"]


def test_a_version_that_was_replaced_does_not_count_again(settings: Settings, shop_dsn: str) -> None:
    """The newest version continued from one that was made again since: it stays, and so does what took its place."""
    dataset, store = datasets.load("articles_content"), Store(settings.store)
    fill_shop(shop_dsn, {"articles": [{"article_id": "a"}], "transactions": []})
    made = []
    for day, parameters in ((3, {}), (4, {}), (5, {}), (4, {"min_text_changes": 7})):
        made.append(steps.run_all(Run.create(dataset, f"2020-09-0{day}", settings, parameters)).version)
    assert made[3] != made[1]
    collect(
        GarbageCollection(store, settings.zone, ("articles_content",), staged_runs, Retention(1, 0, 0), LATER),
        NoLocks(),
    )
    assert load("articles_content", "2020-09-04", settings.store).version == made[3]


@pytest.mark.parametrize("ending", ["manifest.json", "current.json", "0000.json"])
def test_a_damaged_document_is_not_the_end_of_it(ending: str) -> None:
    with store_with(history_of_days(3)) as store:
        for key in store.keys(""):
            if key.endswith(ending) and "as_of=2020-01-03" not in key:
                Path(store.uri(key)).write_bytes(b"")
        collect(look_at(store, Retention(1, 0, 0)), NoLocks())
        assert Versions(store, SHOP, ZONE).at(AsOf.parse("2020-01-03", ZONE)) is not None


def test_words_of_the_command(settings: Settings) -> None:
    environment = {"SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value()}
    said = CliRunner(env=environment).invoke(cli.app, ["--store", settings.store, "gc"], catch_exceptions=False).stdout
    assert said == "Nothing to delete.\n"


def _gc(settings: Settings, *options: str) -> Any:
    environment = {"SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value()}
    arguments = ["--store", settings.store, "gc", "--json", *options]
    return json.loads(CliRunner(env=environment).invoke(cli.app, arguments, catch_exceptions=False).stdout)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """No settings of the folder that the tests are started in."""
    monkeypatch.chdir(tmp_path)
    return lambda: None
