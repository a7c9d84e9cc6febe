"""Every golden case of every dataset on Spark, with exactly the same expectations."""

from pathlib import Path

import pytest
from golden import load_case, run_case
from test_golden import CASES

from shopmill.settings import Settings

pytest.importorskip("pyspark", reason="pip install 'shopmill[spark]'")
pytestmark = pytest.mark.spark


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_on_spark(path: Path, settings: Settings) -> None:
    for case in load_case(path):
        run_case(path.parent.name, case, settings.model_copy(update={"engine": "spark"}))
