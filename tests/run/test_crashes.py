"""Killed at any change of the store, two at once, a full disk: what is published stays whole, and a rerun ends the same."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from golden import fill_shop

from crashing import DATASET, PARAMETERS, processes, start
from shopmill import datasets
from shopmill.embeddings.neighbours import INDEX
from shopmill.errors import ConflictError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.text.index import current_index
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

FIRST, SECOND = "2020-09-22", "2020-09-23"
SHOP = {
    "transactions": [
        {"t_dat": f"2020-09-{day}", "customer_id": f"c{day}", "article_id": "0001", "price": 1, "sales_channel_id": 1}
        for day in (20, 21, 22)
    ],
    "events": [
        {"event_id": f"e{day}", "customer_id": "c1", "article_id": "0002", "event_type": "view",
         "event_datetime": f"2020-09-{day} 10:00:00Z"}
        for day in (21, 22)
    ],
    "orders": [{"order_id": "o", "customer_id": "c1", "order_datetime": "2020-09-21 10:00:00Z", "order_status": "done"}],
    "order_items": [{"order_id": "o", "article_id": "0001", "quantity": -1, "price": 1}],
    "articles": [{"article_id": "0001"}],
}  # fmt: skip


def run_again(settings: Settings, as_of: str, run_id: str | None = None, dataset: str = DATASET) -> Published:
    """A run in this process; a killed one's lock is free as soon as the server sees the connection gone."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, PARAMETERS, run_id))
        except ConflictError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def copy_of(settings: Settings, target: Path) -> Settings:
    """Settings with a copy of the store."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(settings.store, target)
    return settings.model_copy(update={"store": str(target)})


class Stage:
    """A store with a version of FIRST, and what it must become with one of SECOND."""

    def __init__(self, settings: Settings, folder: Path):
        self.settings, self.folder = settings.model_copy(update={"store": str(folder / "before")}), folder
        run_again(self.settings, FIRST)
        complete = self.copy("complete")
        self.report = folder / "report"
        process = start(complete, SECOND, self.report)
        process.join(60)
        assert process.exitcode == 0, self.report.read_text()
        self.changes = self.report.read_text().splitlines()[:-1]
        self.version = self.report.read_text().split()[-1]
        self.bytes = published_bytes(complete)

    def copy(self, name: str) -> Settings:
        """The store as it was before the second run."""
        return copy_of(self.settings, self.folder / name)


def versions_of(settings: Settings) -> Versions:
    return Versions(Store(settings.store), DATASET, settings.zone)


def published_bytes(settings: Settings) -> dict[str, bytes]:
    """All files of the dataset; what checks said may name rows of a version before, and is not part of a version."""
    store = Store(settings.store)
    return {key: store.read(key) for key in store.keys(DATASET) if not key.endswith("/statistics.json")}


def assert_whole(settings: Settings) -> Manifest:
    """Everything that can be found is complete to the byte; gives the current version."""
    versions = versions_of(settings)
    for manifest in versions.all():
        for table in manifest.tables:
            for file, key in zip(manifest.files(table), versions.keys_of(manifest, table), strict=True):
                assert sha256_of(Path(settings.store) / key) == file.sha256
    current = versions.current()
    assert current is not None
    return current


@pytest.fixture(scope="module")
def stage(shop_dsn: str, registry_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    fill_shop(shop_dsn, SHOP)
    folder = tmp_path_factory.mktemp("crashes")
    return Stage(Settings(_env_file=None, store="unset", source_dsn=shop_dsn, registry_dsn=registry_dsn), folder)


def test_a_run_makes_its_changes_in_an_order_that_can_be_broken_off_anywhere(stage: Stage) -> None:
    published = [change for change in stage.changes if f" {DATASET}/" in change]
    manifest = published.index(f"create {DATASET}/as_of={SECOND}/version={stage.version}/manifest.json")
    before = [change for change in published[:manifest] if not change.startswith("copy ")]
    assert {change.split("/", 2)[1] for change in before} == {f"as_of={SECOND}"}, "documents beside the manifest"
    assert not [change for change in before if change.endswith("current.json")]
    assert published[manifest + 1 :] == [
        f"write {DATASET}/as_of={SECOND}/current.json",
        f"write {DATASET}/current.json",
        f"write {DATASET}/as_of={SECOND}/version={stage.version}/statistics.json",  # no part of the version
    ]


def test_killed_at_any_change(stage: Stage) -> None:
    """kill -9 before a change of the store; then the same run again, as Airflow retries it.

    Every change of the dataset from the last copy of a file on, and some others, which only raw files and staging see.
    """
    changes = list(enumerate(stage.changes))
    manifest = next(i for i, change in changes if change.endswith("manifest.json"))
    after = [i for i, change in changes if i > manifest and f" {DATASET}/" in change]
    for point in (1, manifest // 2, manifest - 1, manifest, *after, len(stage.changes) - 1):
        settings = stage.copy("killed")
        process = start(settings, SECOND, stage.folder / "killed.report", kill_at=point, run_id=f"killed-{point}")
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, point
        current = assert_whole(settings)
        assert (current.as_of == SECOND) <= (point > manifest), point
        published = run_again(settings, SECOND, f"killed-{point}")
        assert published.version == stage.version, point
        assert assert_whole(settings).version == stage.version
        assert published_bytes(settings) == stage.bytes, point
        assert Store(settings.store).keys(f"staging/{DATASET}") == []


def test_a_killed_run_is_seen_as_running_until_it_is_run_again(stage: Stage) -> None:
    settings = stage.copy("seen")
    point = next(i for i, change in enumerate(stage.changes) if change.endswith("/manifest.json"))
    process = start(settings, SECOND, stage.folder / "seen.report", kill_at=point, run_id="seen")
    process.join(60)
    registry = Registry(settings.registry_dsn.get_secret_value())
    assert next(row["status"] for row in registry.runs() if row["run_id"] == "seen") == "running"
    run_again(settings, SECOND, "seen")
    rows = [row for row in registry.runs() if row["run_id"] == "seen"]
    assert [(row["status"], row["version"]) for row in rows] == [("published", stage.version)]


def test_two_runs_at_once(stage: Stage) -> None:
    settings = stage.copy("two")
    barrier, reports = processes.Barrier(2), [stage.folder / f"two-{n}" for n in range(2)]
    both = [start(settings, SECOND, report, barrier=barrier) for report in reports]
    for process in both:
        process.join(60)
    outcomes = [report.read_text().splitlines()[-1] for report in reports]
    good = [outcome for outcome in outcomes if outcome.endswith(stage.version)]
    assert good
    assert all(o in good or o.startswith("= ConflictError Another 'run of user_item_interactions'") for o in outcomes)
    assert assert_whole(settings).version == stage.version
    assert published_bytes(settings) == stage.bytes


@pytest.mark.parametrize("limit", [1, 1_200, 3_500])
def test_no_file_may_grow_past_a_limit(stage: Stage, limit: int) -> None:
    """What a full disk does to a write, for a process without rights to mount one."""
    settings = stage.copy("limited")
    process = start(settings, SECOND, stage.folder / f"limited-{limit}", file_limit=limit, run_id=f"limited-{limit}")
    process.join(60)
    assert process.exitcode == 3
    assert assert_whole(settings).as_of == FIRST
    registry = Registry(settings.registry_dsn.get_secret_value())
    rows = [row for row in registry.runs(limit=1000) if row["run_id"] == f"limited-{limit}"]
    assert [(row["status"], row["error"].split(":")[0]) for row in rows] in ([("failed", "StoreError")], [])
    assert rows or limit == 1, "a run that cannot even take its lock has not begun"
    assert run_again(settings, SECOND).version == stage.version


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(folder)]
    if os.getuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_full_disk(stage: Stage, small_disk: Path) -> None:
    shutil.copytree(stage.settings.store, small_disk / "store")
    settings = stage.settings.model_copy(update={"store": str(small_disk / "store")})
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert shutil.disk_usage(small_disk).free == 0
    report = stage.folder / "full"
    process = start(settings, SECOND, report)
    process.join(60)
    assert report.read_text().splitlines()[-1].startswith("= StoreError ")
    assert assert_whole(settings).as_of == FIRST
    filler.unlink()
    assert run_again(settings, SECOND).version == stage.version


# --- with an index that serves -------------------------------------------------------------------------------------

INDEXED = "articles_embeddings"
MOMENTS = {"/checks.json": FIRST, "/manifest.json": FIRST, "/published.json": FIRST, "delete staging": SECOND}
"""The change of the store before which a run is killed, and the as_of whose index then serves."""
TEXTS = [{"article_id": f"000{n}", "prod_name": text} for n, text in enumerate(("summer dress", "hex bolt", "gown"))]


class IndexedStage:
    """A store and a registry with an index of FIRST, and with the texts that one of SECOND is made of."""

    def __init__(self, settings: Settings, folder: Path):
        self.settings, self.folder = settings, folder
        for as_of, texts in ((FIRST, TEXTS[:2]), (SECOND, TEXTS)):
            fill_shop(settings.source_dsn.get_secret_value(), {"articles": texts})
            run_again(settings, as_of, dataset="articles_content")
            if as_of == FIRST:
                run_again(settings, as_of, dataset=INDEXED)
        self.first, _ = self.served()

    def served(self) -> tuple[str, list[str]]:
        """The version that readers see, and all tables of the index."""
        with psycopg.connect(self.settings.registry_dsn.get_secret_value()) as connection:
            report = current_index(connection, INDEX)
            assert report is not None
            tables = "select relname from pg_class where relname ~ '^articles_[^_]+$' and relkind = 'r' order by 1"
            return report.version, [row[0] for row in connection.execute(tables)]

    def killed_at(self, point: int, name: str) -> tuple[Settings, list[str]]:
        """Lets the index of FIRST serve, and kills a run of SECOND; gives its report. At -1 it comes to its end."""
        settings, report = copy_of(self.settings, self.folder / name), self.folder / f"{name}.report"
        with psycopg.connect(self.settings.registry_dsn.get_secret_value()) as connection:
            for table in self.served()[1]:
                connection.execute(f"drop table shopmill.{table} cascade".encode())
        first = Run.create(datasets.load(INDEXED), FIRST, settings, PARAMETERS)
        steps.extract(first, "load_artifact")
        assert steps.already_made(first)
        assert self.served() == (self.first, [f"articles_{self.first}"])
        process = start(settings, SECOND, report, kill_at=point, run_id=name, dataset=INDEXED)
        process.join(60)
        assert process.exitcode == (0 if point < 0 else -signal.SIGKILL), report.read_text()
        return settings, report.read_text().splitlines()


@pytest.fixture(scope="module")
def indexed_stage(
    new_shop: Callable[[], str],
    database: Callable[[], str],
    postgres: EmbeddedPostgres,
    encoder_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> IndexedStage:
    registry, folder = database(), tmp_path_factory.mktemp("indexed")
    with psycopg.connect(postgres.admin_dsn(str(psycopg.conninfo.conninfo_to_dict(registry)["dbname"]))) as admin:
        admin.execute("create extension vector")
    store, shop = str(folder / "before"), new_shop()
    return IndexedStage(
        Settings(_env_file=None, store=store, source_dsn=shop, registry_dsn=registry, encoder_folder=encoder_folder),
        folder,
    )


def test_killed_between_the_making_of_an_index_and_its_serving(indexed_stage: IndexedStage) -> None:
    """kill -9 when the index was just prepared, before and after its version exists, and when it was just swapped in."""
    _, (*changes, outcome) = indexed_stage.killed_at(-1, "complete")
    version = outcome.split()[-1]
    assert indexed_stage.served() == (version, [f"articles_{version}"])
    moments = {name: next(i for i, c in enumerate(changes) if name in c) for name in MOMENTS}
    for moment, serves in MOMENTS.items():
        run_id = f"killed-at-{moment.replace('/', '-')}"
        settings, _ = indexed_stage.killed_at(moments[moment], run_id)
        serving, tables = indexed_stage.served()
        assert serving == (version if serves == SECOND else indexed_stage.first), moment
        assert tables == sorted({f"articles_{serving}", f"articles_{version}"}), moment
        assert run_again(settings, SECOND, run_id, INDEXED).version == version
        assert indexed_stage.served() == (version, [f"articles_{version}"]), moment
