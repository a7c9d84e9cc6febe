"""A plan says what the run then does, and writes nothing."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from golden import LENIENT, fill_shop
from test_diff import command

from shopmill import datasets
from shopmill.declaration import Promise
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.plan import RunPlan, plan_of
from shopmill.run.rehearsal import Rehearsal
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.due import due_between, newest_begun, newest_due
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

DATASET = "timeseries"


@pytest.fixture
def shop(settings: Settings, shop_dsn: str) -> Settings:
    sales = [
        {"t_dat": f"2020-09-{day:02}", "customer_id": f"c{day}", "article_id": "1", "price": 1} for day in range(1, 25)
    ]
    fill_shop(shop_dsn, {"transactions": sales, "articles": [{"article_id": "1"}]})
    return settings


def publish(settings: Settings, as_of: str, dataset: str = DATASET, **parameters: Any) -> Any:
    return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, {**LENIENT, **parameters}))


def planned(settings: Settings, as_of: str, dataset: str = DATASET, **options: Any) -> RunPlan:
    parameters = {**LENIENT, **options.pop("parameters", {})}
    return plan_of(Rehearsal.create(datasets.load(dataset), as_of, settings, parameters, **options))


def files_of(settings: Settings) -> dict[str, int]:
    root = Path(settings.store)
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_the_first_run_reads_everything_and_needs_no_earlier_version(shop: Settings) -> None:
    found = planned(shop, "2020-09-22")
    assert (found.kind, found.previous, found.replaces, found.serves) == ("first", None, "", True)
    assert {(one.name, one.source) for one in found.reads} >= {("transactions", "shop"), ("articles", "shop")}
    assert {one.what for one in found.reads if one.name == "transactions"} == {"all rows before 2020-09-22"}
    assert {one.computed for one in found.writes} == {"all rows"}
    assert files_of(shop) == {}


def test_an_incremental_run_takes_over_what_the_run_then_takes_over(shop: Settings) -> None:
    first = publish(shop, "2020-09-22")
    before = files_of(shop)
    found = planned(shop, "2020-09-23")
    assert files_of(shop) == before
    assert (found.kind, found.previous and found.previous.version) == ("incremental", first.version)
    [reads] = [one for one in found.reads if one.name == "transactions"]
    assert reads.source == "shop"
    assert reads.what.startswith(f"{date(2020, 9, 22) - timedelta(days=shop.lookback_days)} to 2020-09-22")
    made = publish(shop, "2020-09-23")
    versions = Versions(Store(shop.store), DATASET, shop.zone)
    now, old = versions.exactly(made.as_of, made.version), versions.exactly(first.as_of, first.version)
    for writing in found.writes:
        same = {f.path for f in now.files(writing.table)} & {f.path for f in old.files(writing.table)}
        assert writing.taken_over <= len(same)
    assert sum(one.taken_over for one in found.writes) > 0
    assert {one.table for one in found.writes} == set(now.tables)


def test_what_is_there_is_unchanged_until_something_changes(shop: Settings) -> None:
    publish(shop, "2020-09-22")
    made = publish(shop, "2020-09-23")
    assert planned(shop, "2020-09-23").kind == "unchanged"
    other = planned(shop, "2020-09-23", parameters={"max_row_drop": "0.4"})
    assert (other.kind, other.replaces) == ("full", made.version)
    assert other.why[0] == "max_row_drop was 1, is 0.4"
    again = planned(shop, "2020-09-23", refresh=True)
    assert again.replaces == made.version
    assert "transactions is read again" in again.why
    store, manifest = Store(shop.store), Versions(Store(shop.store), DATASET, shop.zone).need(None)
    key = Versions(store, DATASET, shop.zone).keys_of(manifest, "hierarchy")[0]
    Path(store.uri(key)).unlink()
    assert f"{key} is missing" in planned(shop, "2020-09-23").why


def test_a_past_as_of_is_made_of_what_is_kept_and_does_not_serve(shop: Settings) -> None:
    publish(shop, "2020-09-23")
    found = planned(shop, "2020-09-20")
    assert {one.source for one in found.reads} == {"store"}
    assert (found.kind, found.serves) == ("first", False)


def test_the_command_says_it_without_the_shop_and_json_has_all(shop: Settings) -> None:
    publish(shop, "2020-09-22")
    lenient = [part for name, value in LENIENT.items() for part in ("-p", f"{name}={value}")]
    shown = command(shop, "plan", DATASET, "--as-of", "2020-09-22", *lenient)
    assert shown.exit_code == 0, shown.output
    assert (
        "timeseries as of 2020-09-22. Nothing would be computed: inputs, parameters, code and software" in shown.stdout
    )
    other = command(shop, "plan", DATASET, "--as-of", "2020-09-23", *lenient).stdout
    assert "An incremental run: there is no version of this as_of yet; it continues from the version" in other
    assert len(other.splitlines()) < 40
    found = json.loads(command(shop, "plan", DATASET, "--as-of", "2020-09-23", "--json", *lenient).stdout)
    assert (found["dataset"], found["as_of"], found["kind"]) == (DATASET, "2020-09-23", "incremental")
    assert {"why", "reads", "writes", "previous", "replaces", "serves", "folder"} <= found.keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "nothing"), "There is no dataset 'nothing'"),
        (("plan", DATASET, "--as-of", "2036-01-01"), "is in the future"),
        (("plan", DATASET, "--as-of", "yesterday"), "is neither a date"),
        (("plan", DATASET, "-p", "max_row_drip=1"), "Did you mean 'max_row_drop'?"),
        (("plan", "articles_embeddings", "--as-of", "2020-01-01"), "run `shopmill run articles_content"),
    ],
)
def test_bad_input_is_one_sentence(shop: Settings, arguments: tuple[str, ...], said: str) -> None:
    result = command(shop, *arguments)
    assert isinstance(result.exception, InvalidInputError)
    assert said in str(result.exception)


def promise(**every: int) -> Promise:
    return Promise(timedelta(hours=1), timedelta(**every) + timedelta(hours=5), timedelta(**every))


UTC_ZONE, STOCKHOLM = ZoneInfo("UTC"), ZoneInfo("Europe/Stockholm")


@pytest.mark.parametrize(
    ("every", "first", "last", "expected"),
    [
        ({"days": 1}, "2020-03-28 23:00Z", "2020-03-30 22:00Z", ["2020-03-29", "2020-03-30", "2020-03-31"]),
        ({"days": 7}, "2020-09-01 00:00Z", "2020-09-14 00:00Z", ["2020-09-06", "2020-09-13"]),
        (
            {"minutes": 15},
            "2020-09-01 10:01Z",
            "2020-09-01 10:30Z",
            ["2020-09-01T10:15:00Z", "2020-09-01T10:30:00Z"],
        ),
    ],
)
def test_as_ofs_of_a_schedule(every: dict[str, int], first: str, last: str, expected: list[str]) -> None:
    span = (datetime.fromisoformat(moment) for moment in (first, last))
    assert [found.label for found in due_between(promise(**every), *span, STOCKHOLM)] == expected


def moments(first: str, last: str, hours: int) -> list[datetime]:
    begin, end = (datetime.fromisoformat(moment) for moment in (first, last))
    return [begin + timedelta(hours=n) for n in range(0, int((end - begin) / timedelta(hours=1)), hours)]


@pytest.mark.parametrize(
    "zone", ["Europe/Stockholm", "America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Africa/Cairo"]
)
@pytest.mark.parametrize("every", [{"days": 1}, {"days": 7}, {"hours": 1}, {"minutes": 15}], ids=str)
def test_there_is_a_newest_as_of_at_any_hour_of_a_change_of_the_clocks(zone: str, every: dict[str, int]) -> None:
    there = ZoneInfo(zone)
    for year in (2011, 2018, 2026):
        for now in moments(f"{year}-01-08T00:30Z", f"{year}-12-31T00:30Z", 11):
            begun = newest_begun(promise(**every), now, there)
            assert begun.instant <= now < begun.instant + 2 * timedelta(**every) + timedelta(days=1)
    autumn = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # half an hour before the end of a day of 25 hours
    assert newest_begun(promise(days=1), autumn, STOCKHOLM).label == "2026-10-25"


def test_a_version_is_due_when_its_run_has_had_its_time() -> None:
    at = datetime(2020, 9, 23, 4, 59, tzinfo=UTC)
    assert newest_begun(promise(days=1), at, UTC_ZONE).label == "2020-09-23"
    assert newest_due(promise(days=1), at, UTC_ZONE).label == "2020-09-22"
    assert newest_due(promise(days=1), at + timedelta(minutes=1), UTC_ZONE).label == "2020-09-23"
    assert newest_due(promise(days=7), at, UTC_ZONE).label == "2020-09-20"
    assert newest_due(promise(minutes=15), at + timedelta(hours=5), UTC_ZONE).label == "2020-09-23T04:45:00Z"
