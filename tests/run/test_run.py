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
