"""What identifies a run: parsed, and refused where its parts contradict each other."""

import pytest

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run.run import Run
from shopmill.settings import Settings


def test_events_cannot_be_waited_for_longer_than_they_are_read(settings: Settings) -> None:
    events = datasets.load("events_and_funnels")
    with pytest.raises(InvalidInputError, match=r"late_days=10 .*SHOPMILL_LOOKBACK_DAYS=3"):
        Run.create(events, "2020-01-01", settings, {"late_days": 10})
    wider = settings.model_copy(update={"lookback_days": 10})
    assert Run.create(events, "2020-01-01", wider, {"late_days": 10}).parameters["late_days"] == 10
    narrow = settings.model_copy(update={"lookback_days": 0})
    assert Run.create(datasets.load("reviews_nlp"), "2020-01-01", narrow).parameters


REFUSED = {
    "a warning that comes after the end": (
        "reviews_nlp", "2020-01-01", {"fresh_days": 20}, r"fresh_days=20 is more than stale_days=14: .*Raise stale_days",
    ),
    "a limit below that of the warning": (
        "reviews_nlp", "2020-01-01", {"max_drift": "0.05"}, r"warn_drift=0\.1 is more than max_drift=0\.05: .*lower warn_drift",
    ),
    "a pause that is longer than a visit": (
        "events_and_funnels", "2020-01-01", {"max_session_hours": 1, "session_gap_minutes": 61},
        r"session_gap_minutes=61 is more than max_session_hours=1: .*lower session_gap_minutes",
    ),
    "a day before the shop was": (
        "timeseries", "2000-01-01", {}, r"as_of 2000-01-01 is not after SHOPMILL_FIRST_DAY=2000-01-01: .*Give a later as_of",
    ),
    "a country that has no calendar": ("timeseries", "2020-01-01", {"country": "Mars"}, "country='Mars' has no calendar"),
    "thresholds that are none": ("customer_features", "2020-01-01", {"frozen_thresholds": "{}"}, "four ascending numbers"),
    "a text of no columns": ("articles_content", "2020-01-01", {"content_columns": " , "}, "names no column"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_is_refused_before_a_row_is_read(settings: Settings, kind: str) -> None:
    dataset, as_of, parameters, words = REFUSED[kind]
    with pytest.raises(InvalidInputError, match=words) as refused:
        Run.create(datasets.load(dataset), as_of, settings, parameters)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_version_that_was_made_is_looked_at_as_it_is(settings: Settings, kind: str) -> None:
    """A rule that is stricter today keeps nobody from verifying or rebuilding it."""
    dataset, as_of, parameters, _ = REFUSED[kind]
    assert Run.create(datasets.load(dataset), as_of, settings, parameters, was_accepted=True).parameters


ALLOWED = {
    "the same limit twice": ("reviews_nlp", "2020-01-01", {"fresh_days": 14, "warn_drift": "0.5", "max_drift": "0.5"}),
    "a drift that never ends a run": ("reviews_nlp", "2020-01-01", {"warn_drift": "9", "max_drift": "0"}),
    "a pause as long as a visit": (
        "events_and_funnels",
        "2020-01-01",
        {"max_session_hours": 1, "session_gap_minutes": 60},
    ),
    "the shop's second day": ("timeseries", "2000-01-02", {"country": "DE-BY"}),
}


@pytest.mark.parametrize("kind", ALLOWED)
def test_what_can_be_is_run(settings: Settings, kind: str) -> None:
    dataset, as_of, parameters = ALLOWED[kind]
    assert Run.create(datasets.load(dataset), as_of, settings, parameters).parameters
