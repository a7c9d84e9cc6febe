"""Training sets out of a real shop: joined by origin, made of published versions, and blind to what comes later."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.datasets.training_labels.labels import LABELS, Label
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.training.training_set import TrainingSet, _columns_of, training_set
from shopmill.versions.load import Version

FEATURES, LABELS_DATASET = "customer_features", "training_labels"
ORIGINS = ("2020-05-01", "2020-06-01")
TRAIN, TEST = ORIGINS
Rows = dict[str, list[dict[str, Any]]]


def lines(first: date, last: date) -> Iterator[dict[str, Any]]:
    """c1 buys every day, c2 until the middle of May, c3 once."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for customer in ("c1", "c2") if day < date(2020, 5, 15) else ("c1",):
            yield {"t_dat": str(day), "customer_id": customer, "article_id": f"000{day.day % 3}", "price": day.day}
    yield {"t_dat": str(first), "customer_id": "c3", "article_id": "0001", "price": 1}


SHOP = list(lines(date(2020, 4, 1), date(2020, 7, 5)))


def garbage(since: date) -> list[dict[str, Any]]:
    """What nobody should see: rows of the day and later, good and bad."""
    days = [since, since + timedelta(days=1), since + timedelta(days=40)]
    odd = [("c1", "0001", -5), ("c2", "new", 1_000_000), ("nobody", "0002", 3), (None, None, None)]
    return [
        {"t_dat": str(day), "customer_id": customer, "article_id": article, "price": price}
        for day in days
        for customer, article, price in odd
    ]


def publish(shop_dsn: str, settings: Settings, poisoned: bool) -> None:
    """In the order of time, each as_of from the shop as it is then; poisoned, with garbage from that day on."""
    runs = sorted(
        [(origin, FEATURES) for origin in ORIGINS]
        + [(str(date.fromisoformat(origin) + timedelta(days=30)), LABELS_DATASET) for origin in ORIGINS]
    )
    for as_of, dataset in runs:
        rows = [line for line in SHOP if not poisoned or line["t_dat"] < as_of]
        fill_shop(shop_dsn, {"transactions": rows + (garbage(date.fromisoformat(as_of)) if poisoned else [])})
        steps.run_all(Run.create(datasets.load(dataset), as_of, settings, LENIENT))


def made(settings: Settings, as_of: Any = ORIGINS, label: str = "churn_30d") -> TrainingSet:
    return training_set(FEATURES, label, as_of, settings=settings)


@pytest.fixture
def published(shop_dsn: str, settings: Settings) -> Settings:
    publish(shop_dsn, settings, poisoned=False)
    return settings


def test_features_are_joined_with_the_label_of_their_origin(published: Settings) -> None:
    found = made(published)
    frame = found.to_pandas()
    labels = {(str(r.origin.date()), r.customer_id): (r.split, r.label) for r in frame.itertuples()}
    assert labels == {
        (TRAIN, "c1"): ("train", 0),
        (TRAIN, "c2"): ("train", 0),
        (TRAIN, "c3"): ("train", 1),
        (TEST, "c1"): ("test", 0),
        (TEST, "c2"): ("test", 1),
        (TEST, "c3"): ("test", 1),
    }
    assert frame["spend_sum_30d"].dtype == float
    assert (str(frame["origin"].dtype), frame["split"].dtype.name) == ("datetime64[ns]", "category")
    assert found.line.startswith(
        f"{found.id}: customer_features with churn_30d; train {TRAIN}; test {TEST}; at least 30"
    )
    assert made(published, {"train": [TRAIN], "test": [TEST]}).id == found.id
    assert made(published, [date.fromisoformat(origin) for origin in ORIGINS]).id == found.id
    assert made(published, label="spend_30d").id != found.id
    assert made(published, [TRAIN]).id != found.id


def test_what_comes_after_changes_no_byte(shop_dsn: str, settings: Settings, tmp_path: Path) -> None:
    poisoned = Settings(**{**settings.model_dump(), "store": str(tmp_path / "poisoned")})
    publish(shop_dsn, settings, poisoned=False)
    publish(shop_dsn, poisoned, poisoned=True)
    clean, bad = made(settings), made(poisoned)
    assert bad.to_arrow().equals(clean.to_arrow())
    assert bad.id == clean.id
    assert {pair.features.version for pair in bad.pairs} == {pair.features.version for pair in clean.pairs}


def test_what_cannot_be_made_is_refused_in_a_sentence(published: Settings) -> None:
    def refused(message: str, as_of: Any = ORIGINS, label: str = "churn_30d", dataset: str = FEATURES) -> None:
        with pytest.raises(InvalidInputError, match=message):
            training_set(dataset, label, as_of, settings=published)

    refused(r"no label 'churn_3d'.*Did you mean 'churn_30d'", label="churn_3d")
    refused(
        r"article_units_7d is a label of each article_id, but customer_features has a row", label="article_units_7d"
    )
    refused("no dataset 'features'", dataset="features")
    refused("Versions are missing.*shopmill run customer_features --as-of 2020-05-05", ["2020-05-05"])
    refused(r"needs the days up to 2020-07-31.*last possible as_of is 2020-06-01", ["2020-07-01"])
    refused("is no date", ["2020-05"])
    refused("is a text: give a list", TRAIN)
    refused("as_of is empty", [])
    refused("as_of=5 is no list", 5)
    refused("is a text: give a list", {"train": TRAIN})
    refused("no as_of to train with", {"train": None, "test": ORIGINS})
    refused("'9999-12-31' is no date", ["9999-12-31"])
    refused("overlap", [TRAIN, "2020-05-02"])


def test_a_version_that_is_older_than_the_label_is_refused(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    novel = Label("novel_30d", "customer", "churn", 30, "declared since", missing=0)
    monkeypatch.setattr("shopmill.training.training_set.LABELS", (*LABELS, novel))
    message = (
        r"training_labels as of 2020-05-31, version \w+, has no label 'novel_30d': it is older than that\. Publish"
    )
    with pytest.raises(InvalidInputError, match=message):
        made(published, label=novel.name)


@pytest.mark.parametrize("older", [{"age": None}, {"age": "bigint"}, {"novel": "date"}])
def test_versions_of_different_columns_make_no_set(
    published: Settings, monkeypatch: pytest.MonkeyPatch, older: dict[str, str | None]
) -> None:
    def columns(version: Version) -> dict[str, str]:
        changed = {**_columns_of(version), **(older if version.as_of == TRAIN else {})}
        return {name: kind for name, kind in changed.items() if kind}

    monkeypatch.setattr("shopmill.training.training_set._columns_of", columns)
    message = (
        rf"customer_features as of {TRAIN}, version \w+, differs from that as of {TEST} in the column '{next(iter(older))}': "
        rf"it is older than that. Publish it again: `shopmill run customer_features --as-of {TRAIN}`"
    )
    with pytest.raises(InvalidInputError, match=message):
        made(published)
    assert made(published, [TRAIN]).to_arrow().num_rows == 3


def test_as_ofs_come_in_any_order_doubled_and_as_pandas_has_them(published: Settings) -> None:
    import pandas as pd

    found = made(published)
    moments = pd.to_datetime([TEST, TRAIN, TEST])
    for given in (moments, list(moments), moments.to_series(), {"train": moments[1:2], "test": moments[:1]}):
        assert made(published, given).id == found.id
    for wrong in (
        pd.to_datetime([]),
        pd.to_datetime([None]),
        pd.to_datetime(["2020-05-01 10:00"]),
        moments.tz_localize("UTC"),
    ):
        with pytest.raises(InvalidInputError, match=r"as_of is empty|is no date such as"):
            made(published, wrong)


def test_backfill_refuses_a_window_that_the_shop_does_not_reach_before_it_runs_anything(
    shop_dsn: str, settings: Settings
) -> None:
    fill_shop(shop_dsn, {"transactions": SHOP})
    message = (
        r"churn_30d of 2020-06-20 needs the days up to 2020-07-20, but the newest row of transactions is of 2020-07-05: "
        r"the last possible as_of is 2020-06-06\."
    )
    with pytest.raises(InvalidInputError, match=message):
        training_set(FEATURES, "churn_30d", ["2020-06-20"], backfill=True, settings=settings)
    assert not list(Path(settings.store).rglob("*.parquet"))


def test_backfill_makes_what_is_missing(shop_dsn: str, settings: Settings) -> None:
    fill_shop(shop_dsn, {"transactions": SHOP})
    asked: Sequence[str] = [TRAIN]
    # The newest version says how far the data reach.
    steps.run_all(Run.create(datasets.load(LABELS_DATASET), "2020-07-01", settings, LENIENT))
    with pytest.raises(InvalidInputError, match="Versions are missing"):
        made(settings, asked)
    found = training_set(FEATURES, "churn_30d", asked, backfill=True, settings=settings)
    assert found.to_arrow().num_rows == 3
    assert made(settings, asked).id == found.id
