"""Golden cases on Spark, with exactly the same expectations: in the gate a choice of them, else every one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cover import chosen
from golden import load_case, run_case

from shopmill.settings import Settings

ALL = sorted(Path(__file__).parent.glob("*/*.yaml"))
CASES = ALL if os.environ.get("SHOPMILL_TEST_SPARK") == "all" else chosen(ALL)
pytestmark = pytest.mark.spark


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_on_spark(path: Path, settings: Settings, spark_settings: Mapping[str, Any]) -> None:
    for case in load_case(path):
        run_case(path.parent.name, case, settings.model_copy(update=spark_settings))
