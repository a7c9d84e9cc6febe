"""Every dataset computes with each of its numbers at both ends of what is allowed."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop, load_case

from shopmill import datasets
from shopmill.errors import CheckFailedError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

FOLDER = Path(__file__).parent
FROM_SHOP = [name for name in datasets.names() if not datasets.load(name).upstream]


@pytest.mark.parametrize("name", FROM_SHOP)
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_ends_of_every_range_can_be_computed(name: str, end: str, settings: Settings) -> None:
    [case, *_] = [run for path in sorted((FOLDER / name).glob("*.yaml")) for run in load_case(path) if run.get("given")]
    ends: dict[str, Any] = {p.name: getattr(p, end) for p in datasets.load(name).parameters}
    chosen = {parameter: value for parameter, value in ends.items() if value is not None}
    fill_shop(settings.source_dsn.get_secret_value(), case["given"])
    patient = settings.model_copy(update={"lookback_days": 31})  # late_days may not be longer
    run = Run.create(datasets.load(name), str(case["as_of"]), patient, {**LENIENT, **chosen})
    with suppress(CheckFailedError):  # a shop of three rows may fail a check; it may not fail to compute
        steps.run_all(run)
