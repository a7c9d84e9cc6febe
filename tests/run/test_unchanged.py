"""A run whose version is there already ends after the extract, and only then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop

from rewritten import rewrite
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DATASETS = ("user_item_interactions", "customer_features", "events_and_funnels", "timeseries", "articles_content")
LINE = {"customer_id": "c1", "article_id": "a1", "price": "1.5", "sales_channel_id": 1}
EVENT = {"session_id": "s", "customer_id": "c1", "article_id": "a1", "event_type": "view"}


def rows(days: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "customers": [{"customer_id": "c1"}],
        "articles": [{"article_id": "a1", "price": "2"}],
        "transactions": [{"t_dat": f"2020-09-0{day}", **LINE} for day in range(1, days + 1)],
        "orders": [],
        "order_items": [],
        "events": [
            {"event_id": f"e{day}", "event_datetime": f"2020-09-0{day} 10:00Z", **EVENT} for day in range(1, days + 1)
        ],
    }


@pytest.fixture
def run(settings: Settings, shop_dsn: str) -> Callable[..., Any]:
    fill_shop(shop_dsn, rows(7))

    def started(name: str, as_of: str, **parameters: Any) -> Any:
        lenient = {key: value for key, value in LENIENT.items() if key in names_of(name)}
        return steps.run_all(Run.create(datasets.load(name), as_of, settings, {**lenient, **parameters}))

    return started


def names_of(name: str) -> set[str]:
    return {parameter.name for parameter in datasets.load(name).all_parameters}


def nothing_is_computed(*_: Any) -> None:
    raise AssertionError("a table was computed")


@pytest.mark.parametrize("name", DATASETS)
def test_the_same_again_computes_nothing(name: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run(name, "2020-09-07")
    first = run(name, "2020-09-08")
    with monkeypatch.context() as patched:
        patched.setattr(steps, "compute", nothing_is_computed)
        again = run(name, "2020-09-08")
    assert (first.status, again.status) == ("published", "unchanged")
    assert (again.version, again.rows, again.path) == (first.version, first.rows, first.path)
    monkeypatch.setattr(steps, "already_made", lambda _: None)
    assert run(name, "2020-09-08").version == first.version, "computing it gives the same"


def test_a_changed_input_parameter_or_previous_version_is_computed(
    run: Callable[..., Any], shop_dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "user_item_interactions"
    computed: list[str] = []
    compute = steps.compute

    def counted(workspace: Any, table: Any, *more: Any) -> int:
        computed.append(table.name)
        return compute(workspace, table, *more)

    monkeypatch.setattr(steps, "compute", counted)

    def computes(as_of: str, **parameters: Any) -> bool:
        computed.clear()
        run(name, as_of, **parameters)
        return bool(computed)

    assert computes("2020-09-08")
    assert not computes("2020-09-08")
    assert computes("2020-09-08", view_weight=0.2), "a parameter"
    assert computes("2020-09-08"), "the parameter as it was: another version is current"
    assert computes("2020-09-06")
    assert computes("2020-09-08"), "another previous version"
    fill_shop(shop_dsn, rows(6))
    lenient = {key: value for key, value in LENIENT.items() if key in names_of(name)}
    computed.clear()
    steps.run_all(Run.create(datasets.load(name), "2020-09-08", settings, lenient, refresh=True))
    assert computed, "another input"


@pytest.mark.parametrize(
    ("name", "module", "is_made_again"),
    [
        ("user_item_interactions", "engine/compose.py", True),
        ("user_item_interactions", "run/compute.py", True),
        ("events_and_funnels", "datasets/events_and_funnels/crawlers.py", True),
        ("events_and_funnels", "vocabulary.py", True),
        ("user_item_interactions", "text/tfidf.py", False),
        ("timeseries", "registry/__init__.py", False),
    ],
)
def test_after_a_change_of_what_decides_the_bytes_it_is_made_again(
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    module: str,
    is_made_again: bool,
) -> None:
    first = run(name, "2020-09-08")
    rewrite(monkeypatch, tmp_path, module)
    again = run(name, "2020-09-08")
    assert (again.status, again.version != first.version) == (
        ("published", True) if is_made_again else ("unchanged", False)
    )
