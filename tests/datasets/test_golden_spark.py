"""Every golden case of every dataset on Spark, with exactly the same expectations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from golden import load_case, run_case

from shopmill.settings import Settings

CASES = sorted(Path(__file__).parent.glob("*/*.yaml"))
pytestmark = pytest.mark.spark


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_on_spark(path: Path, settings: Settings, spark_settings: Mapping[str, Any]) -> None:
    for case in load_case(path):
        run_case(path.parent.name, case, settings.model_copy(update=spark_settings))
