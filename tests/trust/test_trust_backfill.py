"""backfill finds what is missing, stale or failed, runs only that, and ends when nothing is left."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from golden import LENIENT, fill_shop
from test_diff import command

from copies import Copies
from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.airflow_commands import airflow_commands
from shopmill.trust.backfill import Backfill, Due, Reason
from shopmill.trust.standing import Dated
from shopmill.versions.index import Line
from shopmill.versions.manifests import Manifests
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

DATASET = "user_item_interactions"
NOW = datetime(2020, 9, 8, 12, tzinfo=UTC)
DAYS = [f"2020-09-0{day}" for day in range(1, 9)]


LINE = {"customer_id": "c1", "article_id": "1", "price": 1, "sales_channel_id": 1}
VIEW = {"customer_id": "c1", "visitor_id": "v1", "session_id": "s1", "article_id": "1", "event_type": "view"}
ROWS = {
    "transactions": [{"t_dat": day, **LINE} for day in ("2020-08-30", "2020-08-31", *DAYS)],
    "articles": [{"article_id": "1"}],
    "customers": [{"customer_id": "c1"}],
    "events": [{"event_id": f"e{day}", **VIEW, "event_datetime": f"{day}T10:20:00Z"} for day in DAYS],
}


@pytest.fixture(scope="module")
def copies(new_shop: Any, database: Any, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    settings = Settings(_env_file=None, source_dsn=new_shop(), registry_dsn=database())
    return Copies(settings, tmp_path_factory.mktemp("filled"), ROWS)


@pytest.fixture
def made(copies: Copies, tmp_path: Path) -> Callable[..., Settings]:
    """A store in which these days were run."""
    return lambda *days: copies.of(tmp_path / "store", *((DATASET, day) for day in days))


@pytest.fixture
def shop(made: Callable[..., Settings]) -> Settings:
    return made()


def publish(settings: Settings, as_of: str, **parameters: Any) -> Any:
    return steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, {**LENIENT, **parameters}))


def asked(
    settings: Settings, *reasons: Reason, first: str | None = None, last: str | None = None, **more: Any
) -> Backfill:
    parameters = {**LENIENT, **more}
    return Backfill(datasets.load(DATASET), settings, NOW, frozenset(reasons), first, last, parameters)


def found(settings: Settings, *reasons: Reason, **options: Any) -> list[tuple[str, str]]:
    return [(one.as_of, one.reason) for one in asked(settings, *reasons, **options).due()]


def ran(settings: Settings, *reasons: Reason, **options: Any) -> list[tuple[str, str]]:
    backfill = asked(settings, *reasons, **options)
    return [
        (one.as_of, one.status) for one in backfill.run(list(backfill.due()), lambda _due, _number: lambda _step: None)
    ]


def test_days_of_the_schedule_without_a_version_are_run_and_then_none_is_left(made: Callable[..., Settings]) -> None:
    shop = made(DAYS[1], DAYS[4])
    missing = [DAYS[2], DAYS[3], DAYS[5], DAYS[6], DAYS[7]]
    assert found(shop, "missing") == [(day, "missing") for day in missing]
    assert found(shop, "stale", "failed") == []
    assert ran(shop, "missing", last=DAYS[5]) == [(day, "published") for day in missing[:3]]
    assert found(shop, "missing") == [(day, "missing") for day in missing[3:]]
    assert found(shop, "missing", first=DAYS[0], last=DAYS[2]) == [(DAYS[0], "missing")]


QUARTERLY = "events_and_funnels"
QUARTERS = [f"2020-09-08T{hour:02}:{minute:02}:00Z" for hour in (10, 11) for minute in (0, 15, 30, 45)]


def quarters(shop: Settings, now: str, *reasons: Reason) -> Backfill:
    known = {parameter.name for parameter in datasets.load(QUARTERLY).all_parameters}
    lenient = {name: value for name, value in LENIENT.items() if name in known}
    moment = datetime.fromisoformat(now)
    return Backfill(datasets.load(QUARTERLY), shop, moment, frozenset(reasons), None, None, lenient)


def test_a_schedule_of_quarters_of_an_hour_has_its_gaps_filled(copies: Copies, tmp_path: Path) -> None:
    shop = copies.of(tmp_path / "store", (QUARTERLY, QUARTERS[0]), (QUARTERLY, QUARTERS[3]))
    versions = Versions(Store(shop.store), QUARTERLY, shop.zone)
    newest = versions.need(None)
    backfill = quarters(shop, "2020-09-08T12:15:00Z", "missing", "failed")
    due = list(backfill.due())
    assert [(one.as_of, one.reason) for one in due] == [(QUARTERS[n], "missing") for n in (1, 2, 4, 5, 6, 7)]
    done = list(backfill.run(due[:2], lambda _due, _number: lambda _step: None))
    assert [(one.as_of, one.status) for one in done] == [(QUARTERS[n], "published") for n in (1, 2)]
    assert versions.need(None) == newest
    assert [as_of.label for as_of in versions.as_ofs()] == QUARTERS[:4]
    again = quarters(shop, "2020-09-08T12:15:00Z", "missing", "failed")
    assert [(one.as_of, one.reason) for one in again.due()] == [(quarter, "missing") for quarter in QUARTERS[4:]]
    [month] = Path(shop.store, "index", QUARTERLY).glob("*.json")
    assert month.name == "2020-09.json"
    assert month.stat().st_size / len(QUARTERS[:4]) < 2_000, "35,000 versions a year: 6 MB a month to read and write"
    assert json.loads(command(shop, "verify", QUARTERLY, "--all", "--raw", "--json").stdout) == []


def test_the_current_version_is_never_moved_backwards(made: Callable[..., Settings]) -> None:
    shop = made(DAYS[4])
    versions = Versions(Store(shop.store), DATASET, shop.zone)
    newest = versions.need(None)
    ran(shop, "missing", first=DAYS[2], last=DAYS[4])
    assert [as_of.label for as_of in versions.as_ofs()] == DAYS[2:5]
    assert versions.need(None).version == newest.version


def test_versions_made_of_other_rows_or_parameters_are_stale_and_so_are_those_that_continue(
    settings: Settings, shop_dsn: str, database: Any
) -> None:
    fill_shop(shop_dsn, ROWS)
    shop = settings.model_copy(update={"registry_dsn": type(settings.registry_dsn)(database())})
    for day in DAYS[1:5]:
        publish(shop, day)
    assert found(shop, "stale") == []
    with psycopg.connect(shop_dsn) as connection:
        connection.execute("update transactions set price = 7 where t_dat = '2020-09-02'")
    steps.run_all(Run.create(datasets.load("customer_features"), DAYS[2], shop, LENIENT, refresh=True))
    due = list(asked(shop, "stale").due())
    assert [one.as_of for one in due] == DAYS[2:5]
    assert due[0].why.startswith("transactions has other rows")
    assert due[1].why == f"it continues from {DAYS[2]}, which is made again"
    assert ran(shop, "stale")[0] == (DAYS[2], "published")
    assert found(shop, "stale") == []
    changed = list(asked(shop, "stale", max_row_drop="0.9").due())
    assert (len(changed), changed[0].why) == (4, "max_row_drop was 1, is 0.9")


def test_the_index_alone_says_that_nothing_is_stale(
    made: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made(*DAYS[1:4])
    with monkeypatch.context() as patched:
        for name in ("read_snapshot", "SnapshotCatalogue._readable"):
            patched.setattr(f"shopmill.source.snapshot.{name}", None)
        patched.setattr(Manifests, "under", None)
        assert found(shop, "stale", "missing", "failed", last=DAYS[3]) == []
    settings = shop.model_copy(update={"longest_gap_days": 1})
    assert found(settings, "stale") == [], "it could change the first day of sales, and does not"
    versions = Versions(Store(shop.store), DATASET, shop.zone)
    newest = versions.need(None)
    versions.store.delete_keys([newest.beside["snapshots"]["transactions"]["key"]])
    assert found(shop, "stale") == [(DAYS[3], "stale")]


def test_a_version_of_other_versions_stands_while_these_are_the_ones_that_a_run_would_take(tmp_path: Path) -> None:
    line = Line("2020-09-02", "b", 1, 0, 1, 1, "2020-09-03T00:00:00+00:00")
    lines = {(one.as_of, one.version): one for one in (line, replace(line, as_of="2020-09-04", version="d"))}
    dated = Dated(Versions(Store(str(tmp_path)), DATASET, ZoneInfo("UTC")), lines)

    def asked_at(label: str) -> tuple[Any, Any]:
        as_of = AsOf.parse(label, ZoneInfo("UTC"))
        return dated.until(as_of), dated.before(as_of)

    assert asked_at("2020-09-01") == (None, None)
    assert asked_at("2020-09-02") == (("2020-09-02", "b"), None)
    assert asked_at("2020-09-04T00:00:00Z") == (("2020-09-02", "b"), ("2020-09-02", "b")), (
        "the same moment is not before"
    )
    assert asked_at("2020-09-05") == (("2020-09-04", "d"), ("2020-09-04", "d"))


def test_what_failed_is_run_again_and_a_missing_version_of_it_too(
    made: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made(DAYS[3])
    with monkeypatch.context() as patched:
        patched.setattr(steps, "publish", _fails)
        with pytest.raises(ShopmillError):
            publish(shop, DAYS[4])
    [due] = asked(shop, "failed").due()
    assert (due.as_of, due.reason, "the disk is full" in due.why) == (DAYS[4], "failed", True)
    assert found(shop, "missing", last=DAYS[4]) == [(DAYS[4], "missing")]
    assert ran(shop, "failed") == [(DAYS[4], "published")]
    assert found(shop, "failed") == []


def _fails(_: Run) -> None:
    raise ShopmillError("the disk is full")


def test_the_first_failure_of_a_dataset_that_continues_is_the_last_run(
    made: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made(DAYS[3])
    monkeypatch.setattr(steps, "publish", _fails)
    assert ran(shop, "missing") == [(DAYS[4], "failed")]


def test_what_was_withdrawn_or_removed_by_retention_is_not_missing(made: Callable[..., Settings]) -> None:
    shop = made(*DAYS[1:5])
    versions = Versions(Store(shop.store), DATASET, shop.zone)
    assert command(shop, "unpublish", DATASET, DAYS[2], "--reason", "wrong").exit_code == 0
    versions.store.delete(f"{DATASET}/as_of={DAYS[3]}")
    assert found(shop, "missing", last=DAYS[4]) == []


def test_the_command_shows_runs_a_part_and_goes_on(
    made: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made(DAYS[1])
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", shop.source_dsn.get_secret_value())
    lenient = [part for name, value in LENIENT.items() for part in ("-p", f"{name}={value}")]
    arguments = ("backfill", DATASET, "--missing", "--to", DAYS[4], *lenient)
    shown = command(shop, *arguments, "--dry-run")
    assert f"{DATASET}: 3 runs are due." in shown.stdout
    assert json.loads(command(shop, *arguments, "--dry-run", "--limit", "2", "--json").stdout) == {
        "dataset": DATASET,
        "due": [{"as_of": day, "reason": "missing", "why": "no run has been made for it"} for day in DAYS[2:4]],
        "more": True,
        "done": [],
    }
    assert not (Path(shop.store) / DATASET / f"as_of={DAYS[2]}").exists()
    part = command(shop, *arguments, "--limit", "2")
    assert part.exit_code == 0, part.output
    assert "2 of 2 runs ended well, more is due than --limit allows. Run it again for what is left." in part.stdout
    rest = json.loads(command(shop, *arguments, "--json").stdout)
    assert [(one["as_of"], one["status"]) for one in rest["done"]] == [(DAYS[4], "published")]
    assert command(shop, *arguments).stdout == "Nothing is due.\n"


def test_the_commands_of_airflow_are_a_line_for_each_stretch_of_one_reason(shop: Settings) -> None:
    due = [Due(day, "missing", "") for day in (DAYS[0], DAYS[1], DAYS[3])]
    due.append(Due(DAYS[4], "failed", ""))
    create = f"airflow backfill create --dag-id {DATASET}"
    assert list(airflow_commands(datasets.load(DATASET), due, shop.zone)) == [
        f"{create} --from-date {DAYS[0]} --to-date {DAYS[1]}T23:59:00 --reprocess-behavior none",
        f"{create} --from-date {DAYS[3]} --to-date {DAYS[3]}T23:59:00 --reprocess-behavior none",
        f"{create} --from-date {DAYS[4]} --to-date {DAYS[4]}T23:59:00 --reprocess-behavior failed",
    ]
    with pytest.raises(InvalidInputError, match="follows announcements"):
        list(airflow_commands(datasets.load("articles_embeddings"), due, shop.zone))
    shown = command(shop, "backfill", DATASET, "--missing", "--from", DAYS[0], "--to", DAYS[1], "--airflow")
    line = f"{create} --from-date {DAYS[0]} --to-date {DAYS[1]}T23:59:00 --reprocess-behavior none"
    assert shown.stdout == f"{line}\n"
    shown = command(shop, "backfill", DATASET, "--missing", "--from", DAYS[0], "--to", DAYS[1], "--airflow", "--json")
    document = json.loads(shown.stdout)
    assert (document["commands"], document["more"], len(document["due"])) == ([line], False, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "--missing"), "There is no dataset 'nothing'"),
        ((DATASET,), "Say what to fill in: --missing, --stale, --failed"),
        ((DATASET, "--missing"), "has no version and no run yet: say where to begin with --from"),
        ((DATASET, "--missing", "--from", "2020-09-01", "--to", "2036-01-01"), "--to 2036-01-01 is in the future"),
        (
            (DATASET, "--missing", "--from", "2020-09-02", "--to", "2020-09-01"),
            "--from 2020-09-02 is after --to 2020-09-01",
        ),
        ((DATASET, "--missing", "--from", "2036-01-01"), "--from 2036-01-01 is after"),
        ((DATASET, "--missing", "--from", "first"), "is neither a date"),
        ((DATASET, "--stale", "--from", "2020-09-01", "-p", "nothing=1"), "has no parameter 'nothing'"),
    ],
)
def test_bad_input_is_one_sentence(shop: Settings, arguments: tuple[str, ...], said: str) -> None:
    result = command(shop, "backfill", *arguments)
    assert isinstance(result.exception, InvalidInputError), result.output
    assert said in str(result.exception)
