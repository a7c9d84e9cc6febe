"""Every dataset is killed before, within and after the effects of each of its steps, and ends as if nothing had been."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from faulty import Fault, Running, Step, begin
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions
from soak.place import place
from soak.soaked import FIRST, lenient
from soak.world import World

BEFORE, SECOND = str(FIRST), str(FIRST + timedelta(days=1))
AFTER_ALL = 10_000


@pytest.fixture(scope="module")
def shop(
    postgres: EmbeddedPostgres,
    database: Callable[[], str],
    encoder_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A shop that has lived until the second as_of, and an empty store."""
    settings, _ = place(postgres, database, tmp_path_factory.mktemp("matrix"), encoder_folder)
    world = World(settings.source_dsn.get_secret_value(), 1, FIRST)
    world.begin()
    world.pass_day(FIRST)
    return settings


def at(settings: Settings, store: Path) -> Settings:
    return settings.model_copy(update={"store": str(store)})


def changes_by_step(report: Path) -> dict[str, int]:
    """How often each step changed the store."""
    lines = report.read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("step ")]
    ends = [*starts[1:], len(lines)]
    return {lines[a].removeprefix("step "): b - a - 1 for a, b in zip(starts, ends, strict=True)}


def published(settings: Settings, dataset: str) -> dict[str, bytes]:
    store = Store(settings.store)
    return {key: store.read(key) for key in store.keys(dataset) if not key.endswith("/statistics.json")}


@pytest.mark.timeout(1200)  # some twenty processes, one after another
@pytest.mark.parametrize("dataset", datasets.names())
def test_killed_before_within_and_after_each_step(shop: Settings, dataset: str, tmp_path: Path) -> None:
    whole, broken = (at(shop, tmp_path / name) for name in ("whole", "broken"))
    for name in (*(needed.table for needed in datasets.load(dataset).upstream), dataset):
        steps.run_all(Run.create(datasets.load(name), BEFORE, whole, lenient(name)))
    with psycopg.connect(shop.source_dsn.get_secret_value()) as connection:
        connection.execute("update articles set price = price + 1, detail_desc = detail_desc || ' or two'")
    shutil.copytree(whole.store, broken.store)
    running = Running(dataset, SECOND, lenient(dataset), f"matrix-{dataset}")
    work = begin(whole, running, tmp_path / "work")
    outcome = work.end()
    assert outcome.startswith("published "), outcome
    changes = changes_by_step(work.report)
    declared = datasets.load(dataset)
    ordered = [*declared.extracts, *(task.name for task in declared.tasks), "check", "publish", "register"]
    assert [step for step in changes if step] == ordered
    for step in ordered:
        for point in (0, changes[step] // 2, AFTER_ALL):
            fault = Fault("kill", step, point)
            assert begin(broken, Step(running, step), tmp_path / "work", fault).end() == "killed"
        Step(running, step)(broken, lambda _: None)
    left, right = published(broken, dataset), published(whole, dataset)
    assert {key for key in left | right if left.get(key) != right.get(key)} == set()
    current = Versions(Store(broken.store), dataset, broken.zone).current()
    assert current is not None
    assert current.version == outcome.split()[-1]
    assert Store(broken.store).keys(f"staging/{dataset}") == []
