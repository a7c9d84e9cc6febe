"""Whole runs: the same bytes however it is run, wherever the store is, whatever the future holds."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from golden import LENIENT
from pydantic import SecretStr

import shopmill
from shopmill import datasets
from shopmill.errors import CheckFailedError, ConflictError, InvalidInputError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store

DATASET, AS_OF, NEXT = "user_item_interactions", "2020-09-22", "2020-09-23"
MANY_ROWS = """
select setseed(0.5);
insert into articles (article_id) select lpad(i::text, 10, '0') from generate_series(0, 99) i;
insert into transactions
  select date '2020-09-22' - (i * i % 400), 'c' || i * 7 % 211, lpad((i * 13 % 101)::text, 10, '0'), i % 97 / 7.0, 1 + i % 2
  from generate_series(1, 3000) i order by random();
insert into events
  select 'e' || i / 2, 's', 'c' || i * 5 % 223, lpad((i * 11 % 101)::text, 10, '0'),
    (array['view', 'click', 'add_to_cart', 'hover'])[1 + i % 4], null, timestamptz '2020-09-22 23:00:00Z' - i * interval '171 seconds'
  from generate_series(1, 2000) i order by random();
insert into orders
  select 'o' || i, 'c' || i % 211, timestamptz '2020-09-22 10:00:00Z' - i * interval '2 hours', (array['completed', 'cancelled'])[1 + i % 2]
  from generate_series(1, 300) i order by random();
insert into order_items
  select 'o' || i % 310, lpad((i % 101)::text, 10, '0'), i % 5 - 1, i from generate_series(1, 900) i order by random();
"""
POISON = """
insert into articles (article_id) values ('from the future');
insert into transactions select d, 'c1', '0000000001', -1, null from unnest(array['2020-09-23', '9999-12-31']::date[]) d;
insert into events select 'e1', null, 'c1', '0000000001', 'view', null, d
  from unnest(array['2020-09-23 00:00:00Z', '2020-09-23 00:00:00.000001Z', '9999-12-31 23:59:59Z']::timestamptz[]) d;
insert into orders select 'o1', 'somebody else', '2020-09-23 00:00:00Z', 'cancelled';
insert into orders select 'future', 'c1', '2020-09-24 00:00:00Z', 'cancelled';
insert into order_items values ('future', '0000000001', -1, 1);
"""


@pytest.fixture(scope="module")
def large_shop(new_shop: Callable[[], str]) -> str:
    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        connection.execute(MANY_ROWS)
    return dsn


@pytest.fixture
def shop(settings: Settings, large_shop: str) -> Settings:
    return settings.model_copy(update={"source_dsn": SecretStr(large_shop)})


def publish(settings: Settings, as_of: str = NEXT, **parameters: object) -> Published:
    return steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, {**LENIENT, **parameters}))


def dataset_bytes(settings: Settings) -> dict[str, bytes]:
    store = Store(settings.store)
    return {key: store.read(key) for key in store.keys(DATASET)}


def test_the_same_bytes_on_one_thread_and_two_here_and_on_s3(
    shop: Settings, s3_store: str, tmp_path: Path, registry_dsn: str
) -> None:
    one = shop.model_copy(update={"threads": 1, "store": str(tmp_path / "one")})
    two = shop.model_copy(update={"threads": 2, "store": str(tmp_path / "two")})
    remote = shop.model_copy(update={"store": s3_store})
    found = {name: [publish(s, AS_OF), publish(s, NEXT)] for name, s in (("1", one), ("2", two), ("s3", remote))}
    versions = {name: [one.version for one in published] for name, published in found.items()}
    assert versions["1"] == versions["2"] == versions["s3"]
    in_one_file = [key for key in dataset_bytes(one) if "/log/" not in key]  # of the log there is one for each month
    assert len(in_one_file) == 2 * (7 + 3) + 1  # four tables, manifest, statistics, pointer, three descriptions each
    assert dataset_bytes(one) == dataset_bytes(two) == dataset_bytes(remote)

    for again in (two, remote):
        before = dataset_bytes(again)
        unchanged = publish(again, NEXT)
        assert (unchanged.status, unchanged.version) == ("unchanged", versions["1"][1])
        assert dataset_bytes(again) == before
    read = shopmill.load(DATASET, store=s3_store)
    assert read.version == versions["1"][1]
    assert read.to_arrow().equals(shopmill.load(DATASET, store=one.store).to_arrow())
    assert read.to_arrow().num_rows == found["s3"][1].rows
    assert found["s3"][1].path.startswith(s3_store)


def test_the_future_changes_no_byte(
    shop: Settings, large_shop: str, tmp_path: Path, new_shop: Callable[[], str]
) -> None:
    clean = shop.model_copy(update={"store": str(tmp_path / "clean")})
    publish(clean)
    with psycopg.connect(large_shop) as connection:
        connection.execute(POISON)
    try:
        poisoned = shop.model_copy(update={"store": str(tmp_path / "poisoned")})
        publish(poisoned)
    finally:
        with psycopg.connect(large_shop) as connection:
            connection.execute("truncate articles, transactions, events, orders, order_items")
            connection.execute(MANY_ROWS)

    def facts(settings: Settings) -> dict[str, object]:
        manifest = shopmill.load(DATASET, store=settings.store).manifest
        return {"tables": manifest.content["tables"], "rejected": manifest.content["rejected"],
                "inputs": {k: v for k, v in manifest.content["inputs"].items() if k != "articles"}}  # fmt: skip

    assert facts(clean) == facts(poisoned)


def test_each_outcome_has_its_row(shop: Settings) -> None:
    registry = Registry(shop.registry_dsn.get_secret_value())
    first, again, blocked = (
        Run.create(datasets.load(DATASET), NEXT, shop, {**LENIENT, "max_reject_share": share}) for share in (1, 1, 1)
    )
    assert [steps.run_all(run).status for run in (first, again)] == ["published", "unchanged"]
    blocked = Run.create(datasets.load(DATASET), "2021-09-23", shop, LENIENT)
    with pytest.raises(CheckFailedError) as error:
        steps.run_all(blocked)
    assert [failure.name for failure in error.value.failures] == ["transactions fresh"]
    assert f"run `shopmill run {DATASET} --as-of 2021-09-23 --refresh`" in str(error.value)
    failed = Run.create(datasets.load(DATASET), NEXT, shop.model_copy(update={"mapping": "nowhere"}), LENIENT)
    with pytest.raises(InvalidInputError):
        steps.run_all(failed)
    rows = {row["run_id"]: row for row in registry.runs(limit=1000)}
    found = [rows[run.run_id] for run in (first, again, blocked, failed)]
    assert [row["status"] for row in found] == ["published", "unchanged", "blocked", "failed"]
    assert found[0]["version"] == found[1]["version"]
    assert found[0]["rows"] > 0
    assert found[0]["inputs"]["transactions"]["rows"] == 3000
    assert all(check["passed"] for check in found[0]["checks"] if check["severity"] == "error")
    assert [check["name"] for check in found[2]["checks"] if not check["passed"] and check["severity"] == "error"] == [
        "transactions fresh"
    ]
    assert "transactions fresh" in found[2]["error"]
    assert "nowhere" in found[3]["error"]
    assert all(row["finished_at"] for row in found)
    current = shopmill.load(DATASET, store=shop.store)
    assert current.as_of == NEXT


def test_a_second_run_at_once_is_refused(shop: Settings) -> None:
    run = Run.create(datasets.load(DATASET), NEXT, shop, LENIENT)
    with run.locks.lock(f"run of {DATASET}"), pytest.raises(ConflictError, match=f"run of {DATASET}' is at work"):
        steps.run_all(run)


def test_a_version_published_in_between_is_not_built_over(shop: Settings) -> None:
    """The numbers of a version follow those of the one before: if that one changed meanwhile, nothing is published."""
    run = Run.create(datasets.load(DATASET), NEXT, shop, LENIENT)
    steps.extract(run)
    steps.transform(run, "transform")
    steps.check(run)
    publish(shop, AS_OF)
    with pytest.raises(ConflictError, match=f"before {NEXT} meanwhile"):
        steps.publish(run)
    assert run.versions.at(run.as_of) is None


def test_steps_may_be_repeated(shop: Settings) -> None:
    reference = publish(shop)
    run = Run.create(datasets.load(DATASET), NEXT, shop.model_copy(update={"store": shop.store + "-2"}), LENIENT)
    for step in (
        lambda: steps.extract(run),
        lambda: steps.transform(run, "transform"),
        lambda: steps.check(run),
        lambda: steps.publish(run),
    ):
        step()
        step()
    assert steps.register(run).version == reference.version
    assert run.store.keys("staging") == []


def test_a_parameter_makes_another_version(shop: Settings) -> None:
    assert publish(shop).version != publish(shop, view_weight="0.06").version
    assert publish(shop, view_weight="0.050").version == publish(shop).version
