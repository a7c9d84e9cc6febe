"""The scripts in examples/ on the real shop: each is better than its baseline."""

import importlib.util
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


@pytest.mark.parametrize(
    ("name", "metric", "more_is_better"),
    [
        ("recommender", "recall@20", True),
        ("forecast", "wape", False),
        ("churn", "auc", True),
        ("churn", "brier", False),
    ],
)
def test_an_example_is_better_than_its_baseline(shop: Settings, name: str, metric: str, more_is_better: bool) -> None:
    metrics = example(name).main()
    ours, baseline = metrics[metric], metrics[f"{metric} of the baseline"]
    assert ours > baseline if more_is_better else ours < baseline


def test_an_example_fits_on_a_page() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) < 60, path.name
