"""The scripts in examples/ on the real shop: each is better than its baseline."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from shopmill.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> ModuleType:
    for needed in ("implicit", "mlforecast", "sklearn"):
        pytest.importorskip(needed)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def metrics_of(name: str) -> dict[str, float]:
    """What an example says at its end; each runs once."""
    found: dict[str, float] = example(name).main()
    return found


@pytest.mark.parametrize(
    ("name", "metric", "more_is_better", "tested"),
    [
        ("recommender", "recall@20", True, "baskets of the next week; baseline: what sells best"),
        ("forecast", "wape", False, "28 days of each category; baseline: the same weekday of the last week"),
        ("churn", "auc", True, "who buys nothing in 30 days; baseline: days since the last purchase"),
        ("churn", "brier", False, "the same, calibrated"),
    ],
)
def test_an_example_is_better_than_its_baseline(
    shop: Settings, note: Callable[..., None], name: str, metric: str, more_is_better: bool, tested: str
) -> None:
    metrics = metrics_of(name)
    ours, baseline = metrics[metric], metrics[f"{metric} of the baseline"]
    assert ours > baseline if more_is_better else ours < baseline
    note(script=f"python examples/{name}.py", tested=tested, metric=metric, ours=ours, baseline=baseline)


def test_an_example_fits_on_a_page() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) < 60, path.name
